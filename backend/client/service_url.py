"""Where the service is."""

from urllib.parse import urlsplit

from backend.client.errors import ServiceError

DEFAULT_URL = "http://127.0.0.1:5000"
"""The API of a stack on one machine."""


def normalized_url(text: str) -> str:
    """A service's address in the one form in which it is called and remembered.

    Raises:
        ServiceError: it is no address of a service (`invalid_url`).
    """
    try:
        parts = urlsplit(text.strip())
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        raise _invalid(text) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise _invalid(text)
    if parts.query or parts.fragment:
        raise _invalid(text)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def _invalid(text: str) -> ServiceError:
    return ServiceError("invalid_url", f"{text!r} is no address such as {DEFAULT_URL}")
