import logging
from typing import Any, Never

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError

from backend.app import create_app
from backend.bootstrap import Services
from backend.domain.errors import Unavailable
from backend.settings import Settings
from tests.integration.api.conftest import User
from tests.integration.api.described_client import DescribedClient

LONE_SURROGATE = rb'{"username": "\ud800\ud800\ud800", "password": "12345678"}'


@pytest.mark.parametrize(
    "path", ["/nothing", "/jobs/", "/jobs//", "/jobs/a/b/c", "/..", "/%00", "/%ff", "/jobs/%2e%2e/x/y"]
)
def test_an_unknown_address_is_not_found(anonymous: DescribedClient, path: str) -> None:
    response = anonymous.get(path)
    assert response.status_code == 404
    assert (response.json or {})["error"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/clean_data", "POST"), ("DELETE", "/login", "POST"), ("PUT", "/jobs", "GET")],
)
def test_another_method_is_not_allowed(
    anonymous: DescribedClient, method: str, path: str, allowed: str
) -> None:
    response = anonymous.call(method, path)
    assert response.status_code == 405
    assert allowed in response.headers["Allow"]
    assert (response.json or {})["error"] == "method_not_allowed"


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "nonsense"]
)
def test_a_body_that_does_not_say_it_is_json_is_refused(
    anonymous: DescribedClient, content_type: str | None
) -> None:
    response = anonymous.post("/login", data=b'{"username": "a"}', content_type=content_type)
    assert response.status_code == 415
    assert "Content-Type: application/json" in (response.json or {})["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b'"{\\"username\\": \\"abc\\", \\"password\\": \\"12345678\\"}"',
        b"\xff\xfe",
        b'{"username": NaN}',
        b'{"username": 1e400}',
        b'{"a": ' * 100_000,
        b"[" * 100_000,
        b'{"username": ' + b"9" * 100_000 + b"}",
        LONE_SURROGATE,
        '{"username": "abc"}'.encode("utf-16"),
    ],
)
@pytest.mark.parametrize("path", ["/register", "/login"])
def test_a_body_that_is_no_json_object_is_refused(anonymous: DescribedClient, path: str, body: bytes) -> None:
    response = anonymous.post(path, data=body, content_type="application/json")
    assert response.status_code == 400


def test_a_json_body_over_a_mebibyte_is_too_large(anonymous: DescribedClient) -> None:
    response = anonymous.post("/login", data=b" " * (1 << 20) + b"{}", content_type="application/json")
    assert response.status_code == 413
    assert (response.json or {})["error"] == "too_large"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=" + "9" * 5000,
        "limit=1.5",
        "status=done",
        "cursor=x",
        "cursor=",
    ],
)
def test_an_odd_query_is_refused(user: User, query: str) -> None:
    assert user.api.get(f"/jobs?{query}").status_code == 400


def broken_client(
    settings: Settings, services: Services, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> DescribedClient:
    def fail(*_: object) -> Never:
        raise error

    monkeypatch.setattr(services.jobs, "page", fail)
    return DescribedClient(create_app(settings, services).test_client())


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("secret inside"), 500, "internal_error"),
        (ServiceRequestError("secret inside"), 503, "storage_unavailable"),
        (Unavailable("secret inside"), 503, "storage_unavailable"),
    ],
)
def test_what_goes_wrong_inside_is_logged_and_not_told(
    user: User,
    settings: Settings,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    code: str,
) -> None:
    client = broken_client(settings, services, monkeypatch, error)
    headers = {"Authorization": user.api.authorization}
    with caplog.at_level(logging.ERROR):
        response = client.get("/jobs", headers=headers)
    assert response.status_code == status
    answer: dict[str, Any] = response.json or {}
    assert answer["error"] == code
    assert "secret" not in response.text
    assert answer["requestId"] in caplog.text
    assert "secret inside" in caplog.text


@pytest.mark.parametrize(("refusal", "status"), [(500, 503), (503, 503), (403, 503), (429, 503), (400, 500)])
def test_an_outage_is_told_from_a_fault_of_ours(
    user: User,
    settings: Settings,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    refusal: int,
    status: int,
) -> None:
    error = HttpResponseError("no")
    error.status_code = refusal
    client = broken_client(settings, services, monkeypatch, error)
    response = client.get("/jobs", headers={"Authorization": user.api.authorization})
    assert response.status_code == status


def test_an_outage_of_one_system_makes_the_service_not_ready(
    settings: Settings, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Never:
        raise Unavailable("the database does not answer")

    monkeypatch.setitem(services.health._pings, "database", fail)
    response = DescribedClient(create_app(settings, services).test_client()).get("/readyz")
    assert response.status_code == 503
    assert (response.json or {})["message"] == "No answer from: database."
