"""Who is calling: JSON Web Tokens, access and refresh."""

from typing import Any

from flask import Flask, Response, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    decode_token,
    get_jwt_identity,
    verify_jwt_in_request,
)
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import PyJWTError

from backend.domain.errors import NotAuthenticated
from backend.domain.identifiers import is_user_id
from backend.routes.errors import error_response
from backend.settings import Settings
from backend.telemetry.log_lines import add_ids, hashed

BEARER: list[dict[str, list[str]]] = [{"accessToken": []}]
"""The OpenAPI security requirement of a call that takes an access token."""

SECURITY_SCHEMES: dict[str, Any] = {
    "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "refreshToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}

_API = ["headers"]
_LOG_IN = "log in at /login and send the token as Authorization: Bearer <token>"


def install_authentication(app: Flask, settings: Settings) -> None:
    """Sign and verify tokens with the settings' secret."""
    app.config.update(
        JWT_SECRET_KEY=settings.require_jwt_secret_key(),
        JWT_ALGORITHM="HS256",
        # The API looks at headers alone, the console's pages at cookies alone: each says so where it asks.
        JWT_TOKEN_LOCATION=[*_API, "cookies"],
        JWT_ACCESS_TOKEN_EXPIRES=settings.access_token_lifetime,
        JWT_REFRESH_TOKEN_EXPIRES=settings.refresh_token_lifetime,
    )
    manager = JWTManager(app)
    manager.unauthorized_loader(lambda _reason: _refused("token_missing", _LOG_IN))
    manager.invalid_token_loader(
        lambda _reason: _refused("token_invalid", f"the token is not valid: {_LOG_IN}")
    )
    manager.expired_token_loader(
        lambda _header, _payload: _refused(
            "token_expired", "the token has expired: get another at /refresh or /login"
        )
    )


def require_access_token() -> None:
    """Refuse a request without a valid access token; to be run before a blueprint's requests."""
    verify_jwt_in_request(locations=_API)
    if request.method == "OPTIONS":
        # Nobody sends a token with it, and Flask answers it with the methods of the address.
        return
    add_ids(user=hashed(current_user_id()))


def require_refresh_token() -> None:
    """Refuse a request without a valid refresh token."""
    verify_jwt_in_request(refresh=True, locations=_API)


def is_access_token(app: Flask, authorization: str) -> bool:
    """Whether a header brings a good access token; for a server, before it takes a body in."""
    scheme, _, token = authorization.partition(" ")
    try:
        with app.app_context():
            claims = decode_token(token)
    except (PyJWTError, JWTExtendedException):
        return False
    return scheme == "Bearer" and claims["type"] == "access"


def current_user_id() -> str:
    """The user who is calling.

    Raises:
        NotAuthenticated: the token names nobody.
    """
    identity = get_jwt_identity()
    if not isinstance(identity, str) or not is_user_id(identity):
        raise NotAuthenticated(f"the token names nobody: {_LOG_IN}", "token_invalid")
    return identity


def access_token(user_id: str) -> str:
    """A fresh access token."""
    return str(create_access_token(user_id))


def refresh_token(user_id: str) -> str:
    """A fresh refresh token."""
    return str(create_refresh_token(user_id))


def _refused(code: str, message: str) -> tuple[Response, int]:
    response = error_response(401, code, message)
    response.headers["WWW-Authenticate"] = "Bearer"
    return response, 401
