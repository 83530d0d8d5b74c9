"""DFS calls that azure-storage-file-datalake has no method for, and other clients make."""

import email.utils
from urllib.parse import parse_qsl

import requests
from requests.structures import CaseInsensitiveDict

from backend.local.addresses import ACCOUNT_NAME
from backend.local.datalake_gateway.shared_key import authorization
from tests.local_storage import LocalStorage


def call(
    storage: LocalStorage, method: str, path: str, query: str, headers: dict[str, str] | None = None
) -> requests.Response:
    """The answer to a signed call. `path` and `query` are as they are sent."""
    raw_path = f"/{ACCOUNT_NAME}/{path}"
    own = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2023-11-03"}
    sent = CaseInsensitiveDict({"Content-Length": "0", **own, **(headers or {})})
    sent["Authorization"] = authorization(method, raw_path, parse_qsl(query), sent)
    address = f"http://127.0.0.1:{storage.lake_port}{raw_path}?{query}"
    return requests.request(method, address, headers=dict(sent), timeout=30)
