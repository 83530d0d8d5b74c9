"""The page as a part of the application: every view, its files, and what a browser may do with them."""

import json
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for

import backend
from backend.console.account_views import accounts
from backend.console.dataset_views import datasets
from backend.console.home_view import home
from backend.console.job_views import jobs
from backend.console.notification_views import notifications
from backend.console.quarantine_views import quarantine
from backend.console.result_views import results
from backend.console.session import session_words

_SECONDS_OF_A_YEAR = 365 * 24 * 3600
_ERROR = 400

# Chart.js sizes its canvas through the object model, which no policy forbids.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def console_blueprint() -> Blueprint:
    """Every view of the page."""
    console = Blueprint(
        "console",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/console/static",
    )
    for views in (home, accounts, datasets, jobs, results, quarantine, notifications):
        console.register_blueprint(views)
    console.context_processor(_words_of_every_page)
    # The last is called first.
    console.after_request(_allow_own_files)
    console.after_request(_as_page)
    return console


def _words_of_every_page() -> dict[str, Any]:
    return {"version": backend.__version__, "file": _file, **session_words()}


def _file(name: str) -> str:
    """The address of a file of the page, which changes with its content, so that it may be kept."""
    return url_for("console.static", filename=name, v=_digest(name))


@cache
def _digest(name: str) -> str:
    file = resources.files("backend.console").joinpath("static", *name.split("/"))
    return sha256(file.read_bytes()).hexdigest()[:12]


def _as_page(response: Response) -> Response:
    """Show the API's words for an error to a person, as a page or as a notice inside one."""
    if response.status_code < _ERROR or response.mimetype != "application/json":
        return response
    told = json.loads(response.get_data())
    whole = "HX-Request" not in request.headers
    page = make_response(
        render_template(
            "console/error.html" if whole else "console/_notice.html",
            message=told["message"],
            request_id=told.get("requestId"),
        ),
        response.status_code,
    )
    if "Retry-After" in response.headers:
        page.headers["Retry-After"] = response.headers["Retry-After"]
    return page


def _allow_own_files(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    if request.endpoint == "console.static" and request.args.get("v"):
        response.headers["Cache-Control"] = f"public, max-age={_SECONDS_OF_A_YEAR}, immutable"
    return response
