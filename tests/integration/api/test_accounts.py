import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from backend.app import create_app
from backend.bootstrap import Services
from backend.domain.identifiers import is_user_id
from backend.settings import Settings
from tests.integration.api.conftest import User
from tests.integration.api.described_client import DescribedClient


def test_a_new_user_registers_and_logs_in(user: User, anonymous: DescribedClient) -> None:
    assert is_user_id(user.user_id)
    again = anonymous.post("/login", json={"username": user.username.upper(), "password": user.password})
    assert again.json is not None
    assert again.json["user_id"] == user.user_id


def test_a_taken_username_is_told(user: User, anonymous: DescribedClient) -> None:
    response = anonymous.post(
        "/register", json={"username": user.username.upper(), "password": "another one"}
    )
    assert response.status_code == 409
    assert response.json is not None
    assert response.json["error"] == "username_taken"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "username"),
        ({"username": "ab", "password": "12345678"}, "username"),
        ({"username": "a" * 65, "password": "12345678"}, "username"),
        ({"username": "a b c", "password": "12345678"}, "username"),
        ({"username": "ada\n", "password": "12345678"}, "username"),
        ({"username": "adä", "password": "12345678"}, "username"),
        ({"username": 12345, "password": "12345678"}, "username"),
        ({"username": None, "password": "12345678"}, "username"),
        ({"username": "someone", "password": "1234567"}, "password"),
        ({"username": "someone", "password": "x" * 129}, "password"),
        ({"username": "someone", "password": ["12345678"]}, "password"),
    ],
)
def test_what_is_wrong_with_a_registration_is_told_by_field(
    anonymous: DescribedClient, body: object, field: str
) -> None:
    response = anonymous.post("/register", json=body)
    assert response.status_code == 400
    assert response.json is not None
    assert field in response.json["message"]


def test_unknown_fields_are_ignored(user: User, anonymous: DescribedClient) -> None:
    body = {"username": user.username, "password": user.password, "remember": True}
    assert anonymous.post("/login", json=body).status_code == 200


def test_a_wrong_login_is_told_in_the_same_words_whoever_it_is(
    user: User, anonymous: DescribedClient
) -> None:
    wrong = anonymous.post("/login", json={"username": user.username, "password": "wrong password"})
    unknown = anonymous.post("/login", json={"username": "nobody-of-this-name", "password": "wrong password"})
    odd = anonymous.post("/login", json={"username": "'; --", "password": ""})
    assert wrong.status_code == unknown.status_code == odd.status_code == 401
    assert wrong.json == unknown.json == odd.json


def test_a_refresh_token_gives_an_access_token_of_the_same_user(
    user: User, anonymous: DescribedClient, settings: Settings
) -> None:
    response = anonymous.with_token(user.refresh_token).post("/refresh")
    assert response.json is not None
    token = response.json["access_token"]
    assert anonymous.with_token(token).get("/jobs").status_code == 200
    claims = jwt.decode(token, settings.jwt_secret_key, algorithms=["HS256"])
    assert (claims["sub"], claims["type"], claims["exp"] - claims["iat"]) == (user.user_id, "access", 900)
    refresh = jwt.decode(user.refresh_token, settings.jwt_secret_key, algorithms=["HS256"])
    assert refresh["exp"] - refresh["iat"] == timedelta(days=7).total_seconds()


def test_tokens_do_not_stand_in_for_each_other(user: User, anonymous: DescribedClient) -> None:
    assert user.api.post("/refresh").status_code == 401
    assert anonymous.with_token(user.refresh_token).get("/jobs").status_code == 401


def test_every_other_call_needs_a_token(anonymous: DescribedClient) -> None:
    open_calls = {"/register", "/login", "/healthz", "/readyz", "/metrics"}
    closed = [
        (method.upper(), re.sub("{.*?}", "x", path))
        for path, item in anonymous.document["paths"].items()
        for method in item
        if path not in open_calls
    ]
    assert len(closed) >= 10
    for method, path in closed:
        response = anonymous.call(method, path)
        assert response.status_code == 401, path
        assert response.json is not None
        assert response.json["error"] == "token_missing"
        assert response.headers["WWW-Authenticate"] == "Bearer"


def forged(settings: Settings, **changes: object) -> str:
    now = 1_700_000_000
    claims = {"sub": "a" * 32, "type": "access", "fresh": False, "jti": "1", "iat": now, "nbf": now}
    return jwt.encode({**claims, "exp": 4_000_000_000, **changes}, settings.jwt_secret_key, "HS256")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda _: "nonsense", "token_invalid"),
        (lambda _: "a.b.c", "token_invalid"),
        (lambda _: "é.é.é", "token_invalid"),
        (lambda s: forged(s)[:-2], "token_invalid"),
        (lambda s: forged(s, exp=1_700_000_001), "token_expired"),
        (lambda s: forged(s, sub="../other"), "token_invalid"),
        (lambda s: forged(s, sub=12), "token_invalid"),
        (lambda s: forged(s, sub=None), "token_invalid"),
        (lambda _: jwt.encode({"sub": "a" * 32, "type": "access"}, "x" * 32, "HS256"), "token_invalid"),
        (lambda _: jwt.encode({"sub": "a" * 32, "type": "access"}, "", "none"), "token_invalid"),
        (lambda s: jwt.encode({"type": "access"}, s.jwt_secret_key, "HS256"), "token_invalid"),
    ],
)
def test_a_token_that_is_not_ours_or_over_is_refused(
    anonymous: DescribedClient, settings: Settings, make: Callable[[Settings], str], code: str
) -> None:
    response = anonymous.with_token(make(settings)).get("/jobs")
    assert response.status_code == 401
    assert response.json is not None
    assert response.json["error"] == code


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Basic YTpi", "Bearer a b c", "", "\u00ff"])
def test_an_odd_authorization_header_is_refused(anonymous: DescribedClient, value: str) -> None:
    assert anonymous.get("/jobs", headers={"Authorization": value}).status_code == 401


def test_credentials_are_rate_limited(settings: Settings, services: Services) -> None:
    limited = replace(settings, credential_rate_limit="2 per minute")
    client = DescribedClient(create_app(limited, services).test_client())
    caller = {"REMOTE_ADDR": "198.51.100.7"}
    body = {"username": "nobody", "password": ""}
    answers = [
        client.post(path, json=body, environ_base=caller) for path in ("/login", "/register", "/login")
    ]
    assert [answer.status_code for answer in answers] == [401, 400, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 61
    assert "Retry-After" not in answers[1].headers
    other = {"REMOTE_ADDR": "198.51.100.8"}
    assert client.post("/login", json=body, environ_base=other).status_code == 401
    assert client.get("/healthz", environ_base=caller).status_code == 200
