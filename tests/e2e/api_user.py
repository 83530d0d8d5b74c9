"""A user of the HTTP API."""

import secrets
from typing import Any

import requests

from tests.waiting import wait_until

JOB_SECONDS = 60


class ApiUser:
    """A freshly registered user, logged in."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        account = {"username": f"user-{secrets.token_hex(6)}", "password": secrets.token_urlsafe(16)}
        assert self.call("POST", "/register", json=account).status_code == 201
        login = self.call("POST", "/login", json=account).json()
        self.username, self.password = account["username"], account["password"]
        self.user_id: str = login["user_id"]
        self.access_token: str = login["access_token"]
        self.refresh_token: str = login["refresh_token"]
        self._session.headers["Authorization"] = f"Bearer {self.access_token}"

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """The answer to a call; an access token that has expired is replaced on the way."""
        response = self._request(method, path, **arguments)
        if response.status_code == 401 and response.json()["error"] == "token_expired":
            self._refresh()
            response = self._request(method, path, **arguments)
        return response

    def _request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self._session.request(method, self._url + path, **{"timeout": 30, **arguments})

    def _refresh(self) -> None:
        headers = {"Authorization": f"Bearer {self.refresh_token}"}
        response = self._request("POST", "/refresh", headers=headers)
        assert response.status_code == 200, response.text
        self.access_token = response.json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {self.access_token}"

    def clean(self, **body: Any) -> dict[str, Any]:
        """Submit a cleaning job; the answer."""
        response = self.call("POST", "/clean_data", json=body)
        assert response.status_code == 202, response.text
        return dict(response.json())

    def upload(self, records: list[Any]) -> str:
        """Upload records; the dataset's id."""
        response = self.call("POST", "/upload_raw", json=records)
        assert response.status_code == 201, response.text
        return str(response.json()["parentJobId"])

    def job(self, job_id: str) -> dict[str, Any]:
        response = self.call("GET", f"/jobs/{job_id}")
        assert response.status_code == 200, response.text
        return dict(response.json())

    def wait_for_end(self, job_id: str) -> dict[str, Any]:
        """The job, once it is completed or failed."""

        def ended() -> dict[str, Any] | None:
            job = self.job(job_id)
            return job if job["status"] in ("completed", "failed") else None

        return wait_until(ended, JOB_SECONDS) or {}

    def close(self) -> None:
        self._session.close()
