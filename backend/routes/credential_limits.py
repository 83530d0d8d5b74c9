"""Slows down whoever tries passwords: by where the calls come from, and by whose password is guessed.

All processes of the API count together. An address is charged for every call; a username, known or not, only
for passwords that were wrong, wherever those came from.
"""

import ipaddress
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from flask import Flask, Response, current_app, request
from limits import RateLimitItem, parse_many
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import HTTPException, TooManyRequests

from backend.domain.errors import InvalidRequest, InvalidSettings
from backend.ports import AttemptCounts
from backend.routes.shared_counts import SharedCounts
from backend.settings import Settings

_EXTENSION = "credential_limits"
_REFUSED = 401
_HOME_PREFIX = 64
"""Of IPv6: what one household or machine is given, and can choose its addresses from."""


@dataclass(frozen=True)
class _Limits:
    limiter: FixedWindowRateLimiter
    by_address: list[RateLimitItem]
    by_username: list[RateLimitItem]


def install_credential_limits(app: Flask, settings: Settings, counts: Callable[[], AttemptCounts]) -> None:
    """Let the calls of `app` that take a password be limited as the settings say.

    Raises:
        InvalidSettings: a limit is none.
    """
    app.extensions[_EXTENSION] = _Limits(
        FixedWindowRateLimiter(SharedCounts(counts)),
        _parsed("CREDENTIAL_RATE_LIMIT", settings.credential_rate_limit),
        _parsed("FAILED_LOGIN_LIMIT", settings.failed_login_limit),
    )


def limit_attempts() -> None:
    """Refuse a call over a limit, before its password is looked at. Raises TooManyRequests."""
    limits = _installed()
    for limit in limits.by_address:
        if not limits.limiter.hit(limit, "address", network(request.remote_addr or "")):
            raise _too_many(limits, limit, "address", network(request.remote_addr or ""))
    for limit in limits.by_username:
        if not limits.limiter.test(limit, "username", _username()):
            raise _too_many(limits, limit, "username", _username())


def count_refusal(response: Response) -> Response:
    """Charge the username for a wrong password."""
    if response.status_code == _REFUSED:
        limits = _installed()
        for limit in limits.by_username:
            limits.limiter.hit(limit, "username", _username())
    return response


def network(address: str) -> str:
    """Where a call comes from: an IPv4 address, or the network of an IPv6 address.

    Some proxies name a port behind the address.
    """
    host = address.rpartition(":")[0] if address.count(":") == 1 else address.partition("]")[0].lstrip("[")
    with suppress(ValueError):
        parsed = ipaddress.ip_address(host)
        if isinstance(parsed, ipaddress.IPv4Address):
            return str(parsed)
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _HOME_PREFIX), strict=False))
    return address


def _installed() -> _Limits:
    limits: _Limits = current_app.extensions[_EXTENSION]
    return limits


def _username() -> str:
    """Whose password is tried. A body that can't be read names nobody, and is told so by the call itself."""
    with suppress(InvalidRequest, HTTPException):
        username = (request.form or request.get_json()).get("username")
        return username.lower() if isinstance(username, str) else ""
    return ""


def _too_many(limits: _Limits, limit: RateLimitItem, *identifiers: str) -> TooManyRequests:
    ends_at = limits.limiter.get_window_stats(limit, *identifiers).reset_time
    return TooManyRequests(retry_after=max(1, int(ends_at - time.time()) + 1))


def _parsed(name: str, text: str) -> list[RateLimitItem]:
    try:
        return parse_many(text)
    except ValueError as error:
        raise InvalidSettings(f"{name}: {error}") from error
