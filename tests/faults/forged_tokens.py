"""Tokens that the API must not take, made by hand: no library would make most of them."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_TYPES = {"accessToken": "access", "refreshToken": "refresh"}


@dataclass(frozen=True)
class Forger:
    """Who knows more than an attacker does: the key, for tokens that are wrong in another way.

    Attributes:
        key: what the API signs with.
        victim, attacker: user ids.
        tokens: the attacker's own, by the name of their scheme.
    """

    key: str
    victim: str
    attacker: str
    tokens: dict[str, str]

    def forgeries(self, scheme: str) -> dict[str, list[str | None]]:
        """By kind, the tokens to try on an operation that takes those of `scheme`."""
        own = self.tokens[scheme]
        other = next(token for name, token in self.tokens.items() if name != scheme)
        return {
            "no token": [None],
            "a refresh token for an access token, and the reverse": [other],
            "an expired token": [self._expired(scheme, seconds) for seconds in (1, 86_400)],
            "a token of `alg: none`": self._unsigned(scheme),
            "a token signed with another key": [
                signed(self._claims(scheme), key) for key in ("", "secret", secrets.token_hex(32))
            ],
            "a token of another algorithm": self._other_algorithms(scheme),
            "a truncated token": truncated(own),
            "a token with another's claims and one's own signature": [self._swapped(scheme, own)],
            "a token with one character changed": changed(own, 20),
        }

    def _claims(self, scheme: str, **changes: Any) -> dict[str, Any]:
        now = int(time.time()) - 60
        claims = {"fresh": False, "iat": now, "jti": secrets.token_hex(16), "type": _TYPES[scheme]}
        return {**claims, "sub": self.victim, "nbf": now, "csrf": "", "exp": now + 900, **changes}

    def _expired(self, scheme: str, seconds: int) -> str:
        return signed(self._claims(scheme, exp=int(time.time()) - seconds), self.key)

    def _unsigned(self, scheme: str) -> list[str | None]:
        heads = [f"{encoded({'alg': alg, 'typ': 'JWT'})}" for alg in ("none", "None", "NONE", "nOnE", "")]
        body = encoded(self._claims(scheme))
        return [f"{head}.{body}.{tail}" for head in heads for tail in ("", self.tokens[scheme][-43:])]

    def _other_algorithms(self, scheme: str) -> list[str | None]:
        claims = self._claims(scheme)
        return [
            signed(claims, self.key, "HS384", hashlib.sha384),
            signed(claims, self.key, "HS512", hashlib.sha512),
            *(signed(claims, self.key, algorithm) for algorithm in ("RS256", "ES256", "EdDSA", "hs256")),
        ]

    def _swapped(self, scheme: str, own: str) -> str:
        head, _, tail = own.split(".")
        return f"{head}.{encoded(self._claims(scheme))}.{tail}"


def signed(
    claims: dict[str, Any],
    key: str,
    algorithm: str = "HS256",
    digest: Callable[..., Any] = hashlib.sha256,
) -> str:
    """A token whose header names `algorithm`, with the HMAC of `digest`, whatever the header says."""
    content = f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(claims)}"
    signature = hmac.new(key.encode(), content.encode(), digest).digest()
    return f"{content}.{base64url(signature)}"


def truncated(token: str) -> list[str | None]:
    """A token's beginnings."""
    head, body, _ = token.split(".")
    return [token[:-2], token[: len(token) // 2], token[:1], head, f"{head}.{body}", f"{head}.{body}.", ""]


def changed(token: str, times: int) -> list[str | None]:
    """A token with another character in one of its places.

    Not in the last one, of which Base64 leaves some bits unread.
    """
    tokens: list[str | None] = []
    for _ in range(times):
        place = secrets.randbelow(len(token) - 1)
        other = next(each for each in "Aa" if each != token[place])
        tokens.append(f"{token[:place]}{other}{token[place + 1 :]}")
    return tokens


def encoded(value: dict[str, Any]) -> str:
    """A token's part."""
    return base64url(json.dumps(value).encode())


def base64url(content: bytes) -> str:
    """Base64 for addresses, without its padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
