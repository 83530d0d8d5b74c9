"""A client that holds every answer to the service's own OpenAPI document."""

import re
from json import dumps
from typing import Any

from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from werkzeug.test import TestResponse

_STREAMED = ("text/csv", "text/plain", "application/vnd.apache.parquet")


class DescribedClient:
    """Calls the API; an answer that the document does not describe fails the test.

    Attributes:
        document: what `/openapi.json` says.
        authorization: the header of a caller with a token.
    """

    def __init__(self, client: FlaskClient, token: str | None = None) -> None:
        self._client = client
        self.authorization = f"Bearer {token}"
        self._headers = {"Authorization": self.authorization} if token else {}
        self.document: dict[str, Any] = client.get("/openapi.json").json or {}

    def with_token(self, token: str) -> "DescribedClient":
        """The same client, for a caller with a token."""
        return DescribedClient(self._client, token)

    def call(self, method: str, path: str, **arguments: Any) -> TestResponse:
        headers = {**self._headers, **arguments.pop("headers", {})}
        response = self._client.open(path, method=method, headers=headers, **arguments)
        self._check(method, path.partition("?")[0], response)
        return response

    def get(self, path: str, **arguments: Any) -> TestResponse:
        return self.call("GET", path, **arguments)

    def post(self, path: str, json: Any = None, **arguments: Any) -> TestResponse:
        if json is not None:
            arguments.update(data=dumps(json), content_type="application/json")
        return self.call("POST", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> TestResponse:
        return self.call("DELETE", path, **arguments)

    def _check(self, method: str, path: str, response: TestResponse) -> None:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        described = self._description(method, path, response.status_code)
        assert response.mimetype in described["content"], f"{response.mimetype} is not described"
        if response.mimetype not in _STREAMED:
            schema = described["content"][response.mimetype]["schema"]
            whole = {**schema, "components": self.document["components"]}
            OAS31Validator(whole).validate(response.json)
            assert response.json is not None
            assert response.json["success"] is (response.status_code < 400)

    def _description(self, method: str, path: str, status: int) -> dict[str, Any]:
        for template, item in self.document["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method.lower() in item:
                responses = item[method.lower()]["responses"]
                assert str(status) in responses, f"{status} is not described for {method} {template}"
                described: dict[str, Any] = responses[str(status)]
                return described
        assert status in (404, 405)
        error = {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}
        return {"content": {"application/json": error}}
