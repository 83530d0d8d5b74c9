"""A browser without a screen: it keeps cookies, and fills in the forms that a page has."""

import re
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class ConsoleBrowser:
    """One browser of one person."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **arguments: Any) -> TestResponse:
        return self.client.get(path, **arguments)

    def text(self, path: str, **arguments: Any) -> str:
        """A page's source, which has to be there."""
        response = self.get(path, **arguments)
        assert response.status_code == 200, response.text
        return unescape(response.text)

    def csrf_token(self) -> str:
        """The word that this session's forms carry."""
        found = _CSRF.search(self.get("/").text)
        assert found is not None
        return found.group(1)

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Send a form of this session's own page."""
        return self.client.post(path, data={"csrf_token": self.csrf_token(), **fields})

    def log_in(self, username: str, password: str, **fields: str) -> TestResponse:
        return self.client.post("/console/login", data={"username": username, "password": password, **fields})
