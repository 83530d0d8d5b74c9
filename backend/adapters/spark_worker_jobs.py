"""Spark runs of a stack on one machine, started in its Spark worker (`backend/local/spark_worker`)."""

from http import HTTPStatus

import requests

from backend.domain.errors import Unavailable
from backend.domain.messages import LargeBatchMessage
from backend.ports import RunState

# To connect, and to answer: the worker answers at once, but a run may keep every core busy.
_TIMEOUT_SECONDS = (2, 10)


class SparkWorkerJobs:
    """Implements `SparkJobs` over the worker's HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        # A proxy of the environment can't reach this machine's own ports.
        self._session.trust_env = False

    def start(self, message: LargeBatchMessage) -> str:
        """Start the run of the message's attempt; its id. Raises Unavailable."""
        return str(self._call("POST", "/runs", message.encode()).json()["runId"])

    def state(self, run_id: str) -> RunState:
        """Where the run stands. Raises Unavailable."""
        answer = self._call("GET", f"/runs/{run_id}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            # The process that had the run is gone, and the run with it.
            return RunState.FAILED
        return RunState(answer.json()["state"])

    def active(self) -> int:
        """How many runs are waiting or under way. Raises Unavailable."""
        return int(self._call("GET", "/runs").json()["active"])

    def _call(self, method: str, path: str, body: bytes | None = None) -> requests.Response:
        worker = f"the Spark worker at {self._url}"
        try:
            answer = self._session.request(method, self._url + path, data=body, timeout=_TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise Unavailable(f"{worker} does not answer; it is started again by itself") from error
        match answer.status_code:
            case HTTPStatus.OK | HTTPStatus.NOT_FOUND:
                return answer
            case HTTPStatus.SERVICE_UNAVAILABLE:
                raise Unavailable(answer.json()["message"])
            case status:
                raise Unavailable(f"{worker} answers {status}: {answer.text}")
