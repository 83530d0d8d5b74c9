"""Which pages of other origins may call the API from a browser: those that a setting names, none by default.

The API knows nobody by a cookie (the console's pages do), so credentials are never allowed: a page of another
origin needs a token of its user's.
"""

from flask import Flask, Response, request

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "Content-Disposition, Retry-After, X-Request-Id"


def install_cross_origin(app: Flask, origins: tuple[str, ...]) -> None:
    """Let pages of `origins` read the answers of `app`.

    To be called before what refuses requests: a browser asks for leave without a token.
    """
    if not origins:
        return

    @app.before_request
    def answer_preflight() -> Response | None:
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        return Response(status=204, headers=_PREFLIGHT) if asks and _origin() in origins else None

    @app.after_request
    def allow(response: Response) -> Response:
        # Also where it is not allowed: a cache must not give one origin what it has kept of another's.
        response.vary.add("Origin")
        if (origin := _origin()) in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        return response


def _origin() -> str:
    return request.headers.get("Origin", "")
