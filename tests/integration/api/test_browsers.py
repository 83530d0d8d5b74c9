"""What a browser is told: security headers on every answer, and whose pages may call."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from backend.app import create_app
from backend.bootstrap import Services
from backend.domain.errors import InvalidSettings
from backend.settings import Settings

FRONTEND = "https://app.example.org"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
ANSWERS = {
    "/healthz": 200,
    "/jobs": 401,
    "/nothing": 404,
    "/login": 405,
    "/docs": 200,
    "/openapi.json": 200,
    "/docs/assets/js/swagger-ui-bundle.js": 200,
}


def client(settings: Settings, services: Services, **changes: object) -> FlaskClient:
    return create_app(replace(settings, **changes), services).test_client()


@pytest.fixture
def opened(settings: Settings, services: Services) -> FlaskClient:
    return client(settings, services, cors_origins=(FRONTEND, "http://localhost:3000"))


def test_every_answer_has_the_security_headers(settings: Settings, services: Services) -> None:
    caller = client(settings, services)
    for path, status in ANSWERS.items():
        with caller.get(path) as answer:
            assert answer.status_code == status
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert "Cache-Control" in answer.headers


def test_nothing_but_the_documentation_may_load_or_be_kept(settings: Settings, services: Services) -> None:
    caller = client(settings, services)
    for path in ("/healthz", "/jobs", "/nothing"):
        answer = caller.get(path)
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["Cache-Control"] == "no-store"
    policy = caller.get("/docs").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert "unsafe-eval" not in policy


def test_tls_is_asked_for_but_on_one_machine(settings: Settings, services: Services) -> None:
    assert "Strict-Transport-Security" not in client(settings, services).get("/jobs").headers
    deployed = client(settings, services, local=False)
    assert deployed.get("/jobs").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_no_page_of_another_origin_may_call_by_default(settings: Settings, services: Services) -> None:
    caller = client(settings, services)
    for method in ("GET", "OPTIONS"):
        answer = caller.open("/jobs", method=method, headers={"Origin": FRONTEND, **PREFLIGHT})
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("path", ["/login", "/jobs", "/clean_data", "/upload_raw", "/jobs/x/tables/silver"])
def test_a_preflight_of_a_named_origin_is_answered_without_a_token(opened: FlaskClient, path: str) -> None:
    answer = opened.options(path, headers={"Origin": FRONTEND, **PREFLIGHT})
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == FRONTEND
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, DELETE"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, Idempotency-Key"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


def test_a_page_of_a_named_origin_may_read_what_it_is_answered(opened: FlaskClient) -> None:
    for path, status in ANSWERS.items():
        with opened.get(path, headers={"Origin": "http://localhost:3000"}) as answer:
            assert answer.status_code == status
            assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.org.attacker.net",
        "https://xapp.example.org",
        "http://app.example.org",
        "https://app.example.org:8443",
        "https://APP.example.org",
        "null",
        "*",
        "",
    ],
)
def test_other_origins_are_allowed_nothing(opened: FlaskClient, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        answer = opened.open("/jobs", method=method, headers={"Origin": origin, **PREFLIGHT})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origins", ["*", "https://*.example.org", "app.example.org", "https://a.org/", "null", "https://A.org"]
)
def test_a_setting_that_names_no_origin_is_refused(origins: str) -> None:
    environment = {"AZURE_STORAGE_ACCOUNT": "a", "CORS_ORIGINS": f"https://app.example.org, {origins}"}
    with pytest.raises(InvalidSettings, match="CORS_ORIGINS has to name origins"):
        Settings.from_environment(environment)


def test_origins_are_read_from_a_list() -> None:
    environment = {"AZURE_STORAGE_ACCOUNT": "a", "CORS_ORIGINS": " https://a.org, http://localhost:3000 ,"}
    assert Settings.from_environment(environment).cors_origins == ("https://a.org", "http://localhost:3000")
