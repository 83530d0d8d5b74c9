"""The HTTP API as one of its users calls it."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.retry import Retry

from backend.client.access_tokens import BearerToken, Tokens
from backend.client.errors import ServiceError

Json = dict[str, Any]

Content = BinaryIO | Iterable[bytes]
"""A file, whose size is told beforehand, or pieces as they come."""

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 60
# What is uploaded is read and stored before it is answered.
_UPLOAD_SECONDS = 1800
_PIECE_BYTES = 1 << 20
_REPEATS = 3
_GREATEST_WAIT_SECONDS = 20
# An access token lasts 15 minutes, and a large upload must not see it end.
_RENEWAL_SECONDS = 300
_UNAUTHORIZED = 401


class _RefusedUndone(Retry):
    """For what must not be done twice: a 429 alone says that nothing was done."""

    RETRY_AFTER_STATUS_CODES = frozenset({429})


# Nobody waits where nothing listens (`connect`).
_SAFE_TO_REPEAT = Retry(
    total=None,
    connect=0,
    read=_REPEATS,
    status=_REPEATS,
    other=0,
    allowed_methods={"GET", "POST"},
    status_forcelist={429, 503},
    raise_on_status=False,
    backoff_factor=0.5,
    retry_after_max=_GREATEST_WAIT_SECONDS,
)
_DONE_ONCE = _RefusedUndone(
    total=_REPEATS,
    connect=0,
    read=0,
    other=0,
    allowed_methods={"POST"},
    raise_on_status=False,
    retry_after_max=_GREATEST_WAIT_SECONDS,
)


class ApiClient:
    """Calls the API; every failure is a `ServiceError` of one sentence.

    Where a 429 or 503 says how long to wait it waits, a minute at most, and asks again, but for what must
    not be done twice and may have been done.

    Args:
        url: where the service is, without a slash at the end.
        tokens: who calls. With a refresh token, access tokens are got and renewed as needed.
    """

    def __init__(self, url: str, tokens: Tokens | None = None) -> None:
        self.url = url
        self._tokens = tokens or Tokens()
        self._renew_at = 0.0
        self._session = requests.Session()
        self._session.mount(url, HTTPAdapter(max_retries=_SAFE_TO_REPEAT.new(allowed_methods={"GET"})))
        # The first is sent with a key that makes it safe, the second changes nothing.
        for path in ("/clean_data", "/refresh"):
            self._session.mount(url + path, HTTPAdapter(max_retries=_SAFE_TO_REPEAT))
        self._session.mount(f"{url}/generate_raw", HTTPAdapter(max_retries=_DONE_ONCE))

    def get(self, path: str, **query: str | int | None) -> Json:
        """What a GET answers."""
        return _document(self._send("GET", path, params=query))

    def post(self, path: str, body: Json | None = None, *, idempotency_key: str | None = None) -> Json:
        """What a POST of JSON answers."""
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return _document(self._send("POST", path, json=body, headers=headers))

    def upload(self, content: Content, media_type: str) -> Json:
        """Make a dataset of records, streamed and never sent twice; the answer of `/upload_raw`."""
        if self._tokens.refresh is not None:
            # A token that ends before the content does would waste it.
            self._renew()
        headers = {"Content-Type": media_type}
        response = self._call("POST", "/upload_raw", _UPLOAD_SECONDS, data=content, headers=headers)
        return _document(_accepted(response))

    @contextmanager
    def download(self, path: str, **query: str) -> Iterator[Iterator[bytes]]:
        """The pieces of what a GET answers, as they come."""
        response = self._send("GET", path, params=query, stream=True)
        with response:
            yield self._pieces(response)

    def _pieces(self, response: requests.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_content(_PIECE_BYTES)
        except requests.RequestException as error:
            raise self._unreachable(error) from error

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        if self._tokens.refresh is None:
            return _accepted(self._call(method, path, **options))
        if time.monotonic() >= self._renew_at:
            self._renew()
        response = self._call(method, path, **options)
        if response.status_code == _UNAUTHORIZED:
            self._renew()
            response = self._call(method, path, **options)
        return _accepted(response)

    def _call(
        self, method: str, path: str, seconds: float = _ANSWER_SECONDS, **options: Any
    ) -> requests.Response:
        options.setdefault("auth", BearerToken(self._tokens.access))
        timeouts = (_CONNECT_SECONDS, seconds)
        try:
            # Passwords and records go nowhere but where they were sent.
            return self._session.request(
                method, self.url + path, timeout=timeouts, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            raise self._unreachable(error) from error

    def _renew(self) -> None:
        response = self._call("POST", "/refresh", auth=BearerToken(self._tokens.refresh))
        if response.status_code == _UNAUTHORIZED:
            raise ServiceError("not_logged_in", f"the log-in at {self.url} is good no longer: log in again")
        self._tokens = Tokens(_document(_accepted(response))["access_token"], self._tokens.refresh)
        self._renew_at = time.monotonic() + _RENEWAL_SECONDS

    def _unreachable(self, error: requests.RequestException) -> ServiceError:
        reason = getattr(next(iter(error.args), None), "reason", None)
        if isinstance(reason, (ConnectTimeoutError, NewConnectionError)):
            message = f"nothing answers at {self.url}: start the service, or give its --url"
        else:
            message = f"the connection to {self.url} broke: {_innermost(error)}"
        return ServiceError("unreachable", message)


def _document(response: requests.Response) -> Json:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _no_answer_of_ours(response)
    return answer


def _accepted(response: requests.Response) -> requests.Response:
    if response.is_redirect:
        raise _no_answer_of_ours(response)
    if not response.ok:
        raise _refusal(response)
    return response


def _refusal(response: requests.Response) -> ServiceError:
    answer = _document(response)
    code, message = answer.get("error"), answer.get("message")
    if not isinstance(code, str) or not isinstance(message, str):
        return _no_answer_of_ours(response)
    notes = []
    if "Retry-After" in response.headers:
        notes.append(f"Retry-After: {response.headers['Retry-After']}")
    if "requestId" in answer:
        notes.append(f"requestId: {answer['requestId']}")
    return ServiceError(code, f"{message} ({', '.join(notes)})" if notes else message)


def _no_answer_of_ours(response: requests.Response) -> ServiceError:
    return ServiceError(
        "unexpected_answer",
        f"{response.request.method} {response.url} answered {response.status_code}, and not as the service"
        " would: is the address right?",
    )


def _innermost(error: BaseException) -> str:
    """The innermost cause, in which the libraries have not yet wrapped their own words."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) or type(error).__name__
