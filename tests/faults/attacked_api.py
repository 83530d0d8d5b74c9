"""The API as an attacker sees it: every operation of its OpenAPI document, and answers byte by byte."""

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

# What differs from one answer to the next for reasons of its own.
_OF_THE_MOMENT = ("date", "x-request-id")
ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> tuple[int, dict[str, str], bytes]:
        """All of it but for the moment: two answers that tell the same are the same."""
        headers = {name: value for name, value in self.headers.items() if name not in _OF_THE_MOMENT}
        return self.status, headers, self.body

    @property
    def code(self) -> str:
        """The error's code."""
        return str(json.loads(self.body)["error"])


@dataclass
class AttackedApi:
    """One connection, on which addresses are sent as they are written: no client puts them right."""

    url: str
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=ANSWER_SECONDS
        )

    def call(self, method: str, target: str, token: str | None = None, **arguments: Any) -> Answer:
        """Send one request; `body` is sent as JSON, `headers` come on top."""
        headers = dict(arguments.get("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        content = json.dumps(arguments["body"]) if arguments.get("body") is not None else None
        if content is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, target, content, headers)
        response = self._connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())

    def seconds(self, method: str, target: str, body: Any) -> tuple[float, int]:
        """How long an answer takes, and its status."""
        began = time.perf_counter()
        answer = self.call(method, target, body=body)
        return time.perf_counter() - began, answer.status

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True)
class Operation:
    """One call of the API.

    Attributes:
        guard: the token that it takes, `accessToken` or `refreshToken`; None when it is open to all.
        places: the parameters in its path.
        fields: what its JSON body may hold, as JSON Schema; empty without one.
    """

    method: str
    template: str
    guard: str | None
    places: tuple[str, ...]
    fields: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    def target(self, **values: str) -> str:
        """The address with its places filled."""
        return self.template.format_map(values)

    def body(self, **ids: str) -> dict[str, Any] | None:
        """A body: the ids that it has a field for, and something in every other one."""
        if not self.fields:
            return None
        return {name: ids.get(name, _example(schema)) for name, schema in self.fields.items()}


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Every operation that the document describes."""
    for template, item in document["paths"].items():
        for method, described in item.items():
            places = [each["name"] for each in described.get("parameters", ()) if each["in"] == "path"]
            yield Operation(
                method.upper(),
                template,
                _guard(described.get("security", [])),
                tuple(places),
                _fields(described, document),
            )


def _guard(security: list[dict[str, Any]]) -> str | None:
    if not security or {} in security:
        return None
    return next(iter(security[0]))


def _fields(described: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    content = described.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref")
    if reference is None:
        return {}
    properties: dict[str, Any] = document["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
    return properties


def _example(schema: dict[str, Any]) -> Any:
    types = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", ()))}
    return 1 if types & {"integer", "number"} else "attacker"


@dataclass
class Tally:
    """What came of one kind of attack.

    Attributes:
        fault: what was tried.
        statuses: how often the API answered what.
        wrong: each answer that it should not have given.
    """

    fault: str
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def judge(self, what: str, answer: Answer, *, right: bool) -> None:
        """Count an answer."""
        self.statuses[answer.status] += 1
        if not right:
            self.wrong.append(f"{what}: {answer.status} {answer.body[:200]!r}")

    @property
    def outcome(self) -> str:
        """In words."""
        told = ", ".join(f"{count} answered {status}" for status, count in sorted(self.statuses.items()))
        return f"{len(self.wrong)} wrong ({told}), first {self.wrong[0]}" if self.wrong else told
