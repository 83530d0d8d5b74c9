"""What shows who is calling."""

import base64
import json
from dataclasses import dataclass

from requests import PreparedRequest
from requests.auth import AuthBase


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token, or a refresh token to get access tokens with, or both."""

    access: str | None = None
    refresh: str | None = None

    @classmethod
    def of(cls, token: str) -> "Tokens":
        """A token of either kind: what it says of itself decides."""
        try:
            payload = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            refreshes = claims["type"] == "refresh"
        except (IndexError, KeyError, TypeError, ValueError):
            # The service will say what it thinks of it.
            refreshes = False
        return cls(refresh=token) if refreshes else cls(access=token)


class BearerToken(AuthBase):
    """Sends a token; without one, nothing, not even what a .netrc has for the host."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token into a request."""
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request
