"""Who looks at the page: a refresh token in a cookie that no script can read, and a word against forgery.

The cookie serves the page alone: the API takes bearer tokens and never looks at it. Every form of the page
carries the token's own CSRF word, which another site can't know.
"""

from flask import Flask, Response, current_app, request, url_for
from flask_jwt_extended import (
    create_refresh_token,
    decode_token,
    get_jwt,
    set_refresh_cookies,
    unset_refresh_cookies,
    verify_jwt_in_request,
)
from flask_jwt_extended.exceptions import CSRFError, JWTExtendedException
from jwt.exceptions import PyJWTError
from werkzeug.http import parse_cookie

from backend.domain.errors import InvalidRequest
from backend.routes.authentication import current_user_id
from backend.settings import Settings
from backend.telemetry.log_lines import add_ids, hashed

_COOKIE = "session"
_CSRF_FIELD = "csrf_token"
_CSRF_HEADER = "X-CSRF-TOKEN"
_PAGES = "/console/"
_SAME_SITE = ("same-origin", "none")


def install_sessions(app: Flask, settings: Settings) -> None:
    """Say how the cookie is set. Outside local mode it goes over TLS only."""
    app.config.update(
        JWT_REFRESH_COOKIE_NAME=_COOKIE,
        JWT_REFRESH_CSRF_HEADER_NAME=_CSRF_HEADER,
        JWT_REFRESH_CSRF_FIELD_NAME=_CSRF_FIELD,
        JWT_CSRF_CHECK_FORM=True,
        JWT_CSRF_IN_COOKIES=False,
        JWT_COOKIE_SAMESITE="Lax",
        JWT_COOKIE_SECURE=not settings.local,
    )


def begin_session(response: Response, user_id: str, username: str) -> Response:
    """Have the browser keep who has logged in, for as long as a refresh token lasts."""
    token = create_refresh_token(user_id, additional_claims={"name": username})
    lifetime = current_app.config["JWT_REFRESH_TOKEN_EXPIRES"]
    set_refresh_cookies(response, token, max_age=int(lifetime.total_seconds()))
    return response


def end_session(response: Response) -> Response:
    """Have the browser forget it."""
    unset_refresh_cookies(response)
    return response


def require_session() -> Response | None:
    """Send who is not logged in to the start; to be run before a blueprint's requests.

    Raises:
        InvalidRequest: a form that was not made for this session, be it an old page's or another site's.
    """
    try:
        verify_jwt_in_request(refresh=True, locations=["cookies"])
    except CSRFError as error:
        raise InvalidRequest("this page is out of date: reload it, and try again", "page_expired") from error
    except (JWTExtendedException, PyJWTError):
        return _to_the_start()
    add_ids(user=hashed(current_user_id()))
    return None


def has_session() -> bool:
    """Whether who looks is logged in. Nothing is refused."""
    try:
        return verify_jwt_in_request(optional=True, refresh=True, locations=["cookies"]) is not None
    except (JWTExtendedException, PyJWTError):
        return False


def is_session(app: Flask, cookies: str) -> bool:
    """Whether a Cookie header brings a good session; for a server, before it takes a body in."""
    try:
        with app.app_context():
            claims = decode_token(parse_cookie(cookies).get(_COOKIE, ""))
    except (PyJWTError, JWTExtendedException):
        return False
    return bool(claims["type"] == "refresh")


def refuse_other_sites() -> None:
    """Refuse a form of another site where there is no session yet to tell it by.

    Raises:
        InvalidRequest: the browser says that the form is another site's.
    """
    if request.method != "POST":
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign = site not in _SAME_SITE if site else origin not in (None, request.host_url.rstrip("/"))
    if foreign:
        raise InvalidRequest("log in on this site's own page", "other_site")


def session_words() -> dict[str, str | None]:
    """What every template may know: the username, and the word that its forms have to carry."""
    claims = get_jwt() if has_session() else {}
    return {"username": claims.get("name"), "csrf_token": claims.get("csrf"), "csrf_header": _CSRF_HEADER}


def next_page() -> str:
    """The page that was asked for before logging in; only ever one of the console's own."""
    page = request.values.get("next", "")
    # A line's end would be one of the header's that sends the browser there.
    is_own = page.startswith(_PAGES) and page.isprintable()
    return page if is_own else url_for("console.home.show")


def redirect_to(address: str) -> Response:
    """Show another page next, in a way that a form and htmx both follow."""
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": address})
    return Response(status=303, headers={"Location": address})


def _to_the_start() -> Response:
    page = request.full_path if request.method == "GET" and "HX-Request" not in request.headers else ""
    return redirect_to(url_for("console.home.show", next=page if page.startswith(_PAGES) else None))
