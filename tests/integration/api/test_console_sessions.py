"""Who is logged in to the page, for how long, and what another site can't do with it."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from backend.app import create_app
from backend.bootstrap import Services
from backend.settings import Settings
from tests.integration.api.conftest import User
from tests.integration.api.console_browser import ConsoleBrowser


def open_browser(settings: Settings, services: Services, **changes: object) -> ConsoleBrowser:
    return ConsoleBrowser(create_app(replace(settings, **changes), services).test_client())


@pytest.fixture
def browser(settings: Settings, services: Services) -> ConsoleBrowser:
    return open_browser(settings, services)


@pytest.fixture
def known(browser: ConsoleBrowser, user: User) -> ConsoleBrowser:
    assert browser.log_in(user.username, user.password).status_code == 303
    return browser


def test_who_is_not_logged_in_sees_the_welcome(browser: ConsoleBrowser) -> None:
    assert "Log in, or make an account" in browser.text("/")


def test_an_account_that_is_made_on_the_page_is_logged_in(browser: ConsoleBrowser) -> None:
    form = {"username": "grace.hopper", "password": "a long password"}
    response = browser.client.post("/console/register", data=form)
    assert (response.status_code, response.location) == (303, "/")
    assert "grace.hopper" in browser.text("/")


def test_the_cookie_can_not_be_read_by_scripts_or_sent_by_other_sites(
    browser: ConsoleBrowser, user: User
) -> None:
    cookie = browser.log_in(user.username, user.password).headers["Set-Cookie"]
    assert cookie.startswith("session=")
    assert cookie.endswith("HttpOnly; Path=/; SameSite=Lax")
    assert "Max-Age=604800" in cookie


def test_outside_local_mode_the_cookie_goes_over_tls_alone(
    settings: Settings, services: Services, user: User
) -> None:
    browser = open_browser(settings, services, local=False)
    assert "; Secure; HttpOnly" in browser.log_in(user.username, user.password).headers["Set-Cookie"]


@pytest.mark.parametrize(("username", "password"), [("", ""), ("nobody-at-all", "some password")])
def test_a_wrong_password_is_told_on_the_page(browser: ConsoleBrowser, username: str, password: str) -> None:
    response = browser.log_in(username, password)
    assert response.status_code == 401
    assert response.mimetype == "text/html"
    assert "The username or the password is wrong." in response.text
    assert "Set-Cookie" not in response.headers


def test_a_wrong_password_counts_against_its_username(
    settings: Settings, services: Services, user: User
) -> None:
    browser = open_browser(settings, services, failed_login_limit="2 per hour")
    answers = [browser.log_in(user.username, "not the password").status_code for _ in range(3)]
    assert answers == [401, 401, 429]
    assert browser.log_in(user.username, user.password).status_code == 429


def test_logging_out_ends_the_session(known: ConsoleBrowser, user: User) -> None:
    assert user.username in known.text("/")
    assert known.send("/console/logout").status_code == 303
    assert "Log in, or make an account" in known.text("/")
    assert known.get("/console/jobs").status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "/console/jobs",
        "/console/notifications",
        "/console/route?records=1",
        f"/console/jobs/{'0' * 32}",
        f"/console/jobs/{'0' * 32}/quality",
        f"/console/jobs/{'0' * 32}/quarantine",
        f"/console/jobs/{'0' * 32}/tables/silver",
        f"/console/jobs/{'0' * 32}/tables/silver/csv",
        f"/console/jobs/{'0' * 32}/events",
    ],
)
def test_every_other_page_sends_a_stranger_to_the_start(browser: ConsoleBrowser, path: str) -> None:
    response = browser.get(path)
    assert response.status_code == 303
    assert response.location.startswith("/?next=/console/")


def test_after_logging_in_one_is_where_one_wanted_to_be(browser: ConsoleBrowser, user: User) -> None:
    start = browser.text(browser.get("/console/jobs?status=failed").location)
    found = re.search(r'name="next" value="([^"]+)"', start)
    assert found is not None
    response = browser.log_in(user.username, user.password, next=found.group(1))
    assert response.location == "/console/jobs?status=failed"


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/docs",
        "/console/\r\nSet-Cookie: session=theirs",
        "/console/\x00",
    ],
)
def test_logging_in_leads_to_no_other_site(browser: ConsoleBrowser, user: User, page: str) -> None:
    assert browser.log_in(user.username, user.password, next=page).location == "/"


def test_a_piece_of_a_page_is_not_filled_with_the_start(browser: ConsoleBrowser) -> None:
    response = browser.get("/console/route?records=1", headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Redirect"], response.data) == (204, "/", b"")


@pytest.mark.parametrize("token", [{}, {"csrf_token": "made up"}])
def test_a_form_without_the_sessions_word_does_nothing(known: ConsoleBrowser, token: dict[str, str]) -> None:
    response = known.client.post("/console/jobs", data={"records": "10", **token})
    assert response.status_code == 400
    assert "This page is out of date: reload it, and try again." in response.text
    assert "There is no job yet" in known.text("/console/jobs")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_site_can_not_log_anybody_in(
    browser: ConsoleBrowser, user: User, headers: dict[str, str]
) -> None:
    form = {"username": user.username, "password": user.password}
    response = browser.client.post("/console/login", data=form, headers=headers)
    assert response.status_code == 400
    assert "Set-Cookie" not in response.headers


def test_the_api_does_not_know_the_cookie(known: ConsoleBrowser) -> None:
    assert known.get("/jobs").status_code == 401
    assert known.client.post("/refresh").status_code == 401
    assert known.client.post("/clean_data", json={"dataCount": 1}).status_code == 401


def test_the_page_does_not_know_bearer_tokens(browser: ConsoleBrowser, user: User) -> None:
    headers = {"Authorization": f"Bearer {user.refresh_token}"}
    assert browser.get("/console/jobs", headers=headers).status_code == 303


def test_an_access_token_is_no_session(browser: ConsoleBrowser, user: User) -> None:
    browser.client.set_cookie("session", user.api.authorization.removeprefix("Bearer "))
    assert browser.get("/console/jobs").status_code == 303


def test_a_session_ends_with_its_refresh_token(settings: Settings, services: Services, user: User) -> None:
    browser = open_browser(settings, services, refresh_token_lifetime=timedelta(seconds=-1))
    response = browser.log_in(user.username, user.password)
    browser.client.set_cookie("session", response.headers["Set-Cookie"].split(";")[0].split("=", 1)[1])
    assert browser.get("/console/jobs").status_code == 303


def test_every_page_has_a_strict_policy_and_is_not_kept(known: ConsoleBrowser) -> None:
    for path in ("/", "/console/jobs", "/console/jobs/nobodys"):
        headers = known.get(path).headers
        assert headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert headers["Cache-Control"] == "no-store"


def test_the_pages_files_may_be_kept_and_change_their_address_with_their_content(
    browser: ConsoleBrowser,
) -> None:
    files = re.findall(r'(?:src|href)="(/console/static/[^"]+)"', browser.text("/"))
    assert len(set(files)) == 5
    for file in files:
        assert re.search(r"\?v=[0-9a-f]{12}$", file)
        with browser.get(file) as response:
            assert response.status_code == 200
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_no_page_has_a_script_or_a_style_inside(known: ConsoleBrowser) -> None:
    for path in ("/", "/console/jobs"):
        page = known.text(path)
        assert re.findall(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=|javascript:", page) == []
