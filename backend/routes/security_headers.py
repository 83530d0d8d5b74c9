"""What every answer tells a browser not to do with it."""

from flask import Flask, Response

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}


def security_headers(*, local: bool) -> dict[str, str]:
    """The headers; a stack on one machine has no TLS to ask for."""
    return _HEADERS if local else _HEADERS | _OVER_TLS


def install_security_headers(app: Flask, *, local: bool) -> None:
    """Put them on every answer of `app` that does not say otherwise itself, as the page of `/docs` does."""
    headers = security_headers(local=local)

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response
