"""The Shared Key signature of the blob and DFS services.

learn.microsoft.com, "Authorize with Shared Key": the signature covers the method, a row of headers, every
x-ms- header and the resource with its query.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping

from backend.local.addresses import ACCOUNT_KEY, ACCOUNT_NAME

_KEY = base64.b64decode(ACCOUNT_KEY)
_SIGNED_HEADERS = (
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-MD5",
    "Content-Type",
    "Date",
    "If-Modified-Since",
    "If-Match",
    "If-None-Match",
    "If-Unmodified-Since",
    "Range",
)
# The service sorts names as a dictionary does: hyphens do not count, and an underscore comes before a digit.
_DICTIONARY_ORDER = str.maketrans({"-": None, "_": " "})


def authorization(
    method: str, raw_path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str]
) -> str:
    """The Authorization header of a request.

    Args:
        method: the HTTP method.
        raw_path: the address's path, percent-encoded as it is sent.
        query: the query's names and values, decoded.
        headers: the request's headers; a mapping that ignores case.
    """
    lines = [method, *(headers.get(name, "") for name in _SIGNED_HEADERS)]
    if headers.get("Content-Length") == "0":
        lines[1 + _SIGNED_HEADERS.index("Content-Length")] = ""
    own = [(name.lower(), value) for name, value in headers.items() if name.lower().startswith("x-ms-")]
    own.sort(key=lambda header: header[0].translate(_DICTIONARY_ORDER))
    lines += [f"{name}:{value.strip()}" for name, value in own]
    lines.append(f"/{ACCOUNT_NAME}{raw_path}")
    lines += [f"{name.lower()}:{value}" for name, value in sorted(query)]
    digest = hmac.digest(_KEY, "\n".join(lines).encode(), hashlib.sha256)
    return f"SharedKey {ACCOUNT_NAME}:{base64.b64encode(digest).decode()}"


def is_signed(
    method: str, raw_path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str]
) -> bool:
    """Whether a request carries the signature that the account's key gives it."""
    expected = authorization(method, raw_path, query, headers)
    return hmac.compare_digest(expected.encode(), headers.get("Authorization", "").encode())
