"""Jobs as server-sent events, from the API's own process, over a real connection."""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from operator import methodcaller
from typing import Any, Self

import jwt
import pytest
import requests

from backend.bootstrap import Services
from backend.settings import Settings
from tests.integration.api.conftest import User, Workers
from tests.waiting import wait_until

STREAMS = 200
JOBS = 20
USERS = 10
SECONDS = 30


@dataclass
class Server:
    """`python -m backend serve` on the storage of these tests."""

    process: subprocess.Popen[str]
    url: str


@pytest.fixture
def serve(settings: Settings) -> Iterator[Callable[..., Server]]:
    with ExitStack() as running:

        def start(**changes: str) -> Server:
            process = running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "backend", "serve", "--port", "0"],
                    env={**os.environ, **environment(settings), **changes},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            )
            running.callback(process.kill)
            assert process.stdout is not None
            match = re.fullmatch(r"Serving on (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
            assert match is not None
            return Server(process, match[1])

        yield start


def environment(settings: Settings) -> dict[str, str]:
    return {
        "ORCHESTRATOR_MODE": "local",
        "PYTHONUNBUFFERED": "1",
        "AZURE_STORAGE_CONNECTION_STRING": settings.storage.connection_string or "",
        "DATABASE_URL": settings.database_url or "",
        "JWT_SECRET_KEY": settings.jwt_secret_key or "",
        "SMALL_BATCH_QUEUE": settings.small_batch_queue,
        "LARGE_BATCH_QUEUE": settings.large_batch_queue,
        "DATA_GENERATION_QUEUE": settings.data_generation_queue,
    }


class Stream:
    """One open stream, read event by event."""

    def __init__(self, server: Server, user: User, job_id: str, last_id: str | None = None) -> None:
        headers = {"Authorization": user.api.authorization}
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        self.response = requests.get(
            f"{server.url}/jobs/{job_id}/events", headers=headers, stream=True, timeout=SECONDS
        )
        self.events = 0
        self._lines = self.response.iter_lines(chunk_size=1, decode_unicode=True)

    def next(self) -> tuple[str, dict[str, Any]]:
        """The id of the next event, and what it says."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and "data" in fields:
                self.events += 1
                return fields["id"], json.loads(fields["data"])
            name, _, value = line.partition(": ")
            fields[name] = value
        raise EOFError

    def rest(self) -> list[tuple[str, dict[str, Any]]]:
        """Every event until the stream ends."""
        events = []
        while True:
            try:
                events.append(self.next())
            except EOFError:
                return events

    def close(self) -> None:
        self.response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def waiting_job(user: User) -> str:
    """A job that waits until a worker is run."""
    dataset = (user.api.post("/upload_raw", json=[{}]).json or {})["parentJobId"]
    return str((user.api.post("/clean_data", json={"parentJobId": dataset}).json or {})["jobId"])


def test_a_job_is_told_as_it_stands_and_until_it_has_ended(
    serve: Callable[..., Server], user: User, workers: Workers
) -> None:
    server, job_id = serve(), waiting_job(user)
    with Stream(server, user, job_id) as stream:
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        assert stream.response.headers["Cache-Control"] == "no-store"
        _, first = stream.next()
        assert first == user.api.get(f"/jobs/{job_id}").json
        workers.clean()
        events = stream.rest()
    assert events[-1][1] == user.api.get(f"/jobs/{job_id}").json
    assert events[-1][1]["status"] == "completed"
    done = [state["progress"]["done"] for _, state in events]
    assert done == sorted(done)


def test_a_client_that_comes_again_is_told_what_it_has_not_seen(
    serve: Callable[..., Server], user: User, workers: Workers
) -> None:
    server, job_id = serve(), waiting_job(user)
    with Stream(server, user, job_id) as stream:
        seen, _ = stream.next()
    workers.clean()
    with Stream(server, user, job_id, seen) as stream:
        ((end, state),) = stream.rest()
    assert state["status"] == "completed"
    assert end != seen
    other = serve()
    with Stream(other, user, job_id, end) as stream:
        assert (stream.response.status_code, stream.rest()) == (204, [])


def test_what_was_seen_already_is_not_told_again(
    serve: Callable[..., Server], user: User, workers: Workers
) -> None:
    server, job_id = serve(), waiting_job(user)
    with Stream(server, user, job_id) as stream:
        seen, waiting = stream.next()
    with Stream(server, user, job_id, seen) as stream:
        workers.clean()
        told = [state for _, state in stream.rest()]
    assert waiting not in told
    assert told[-1]["status"] == "completed"


def test_anothers_job_is_not_found(serve: Callable[..., Server], user: User, other: User) -> None:
    server = serve()
    with Stream(server, other, waiting_job(user)) as theirs, Stream(server, other, "0" * 32) as nobodys:
        assert (theirs.response.status_code, nobodys.response.status_code) == (404, 404)
        assert theirs.response.content == nobodys.response.content


def test_200_streams_of_jobs_that_change_leave_the_api_free_and_are_all_told_of_the_end(
    serve: Callable[..., Server], new_user: Callable[[], User], services: Services, workers: Workers
) -> None:
    users = [new_user() for _ in range(USERS)]
    watched = [(user, waiting_job(user)) for user in users for _ in range(JOBS // USERS)]
    server, (user, _) = serve(), watched[0]
    with going_on(services, watched):
        alone = _median_seconds(server, user)
        with ThreadPoolExecutor(STREAMS) as pool, ExitStack() as streams:
            opened = list(pool.map(lambda number: Stream(server, *watched[number % JOBS]), range(STREAMS)))
            for stream in opened:
                streams.enter_context(closing(stream))
            assert [stream.response.status_code for stream in opened] == [200] * STREAMS
            rests = [pool.submit(stream.rest) for stream in opened]
            beside = _median_seconds(server, user)
            wait_until(lambda: all(stream.events > 1 for stream in opened))
            workers.clean()
            told = [rest.result() for rest in rests]
    assert [events[-1][1]["status"] for events in told] == ["completed"] * STREAMS
    assert min(len(events) for events in told) > 2
    for events in told:
        done = [state["progress"]["done"] for _, state in events]
        assert done == sorted(done)
    assert beside < max(5 * alone, 0.1)


@contextmanager
def going_on(services: Services, watched: list[tuple[User, str]]) -> Iterator[None]:
    """Jobs that come to another stage about once a second, as long as nobody has ended them."""
    ended = threading.Event()

    def go_on() -> None:
        for number in count():
            change = methodcaller("still_queued", f"waiting, {number} before it")
            for user, job_id in watched:
                services.jobs.update(user.user_id, job_id, change)
            if ended.wait(1):
                return

    with ThreadPoolExecutor() as pool:
        going = pool.submit(go_on)
        try:
            yield
        finally:
            ended.set()
            going.result()


def _median_seconds(server: Server, user: User) -> float:
    """How long a call takes."""
    headers = {"Authorization": user.api.authorization}
    seconds = []
    with requests.Session() as session:
        for _ in range(21):
            began = time.perf_counter()
            assert session.get(f"{server.url}/routing_config", headers=headers, timeout=5).status_code == 200
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def test_one_user_gets_half_of_the_streams_and_another_still_has_some(
    serve: Callable[..., Server], user: User, other: User
) -> None:
    server, own, others = serve(EVENT_STREAMS="4"), waiting_job(user), waiting_job(other)
    with ExitStack() as streams:
        for _ in range(2):
            streams.enter_context(Stream(server, user, own)).next()
        third = streams.enter_context(Stream(server, user, own))
        assert (third.response.status_code, third.response.headers["Retry-After"]) == (429, "5")
        assert third.response.json()["error"] == "too_many_event_streams"
        assert streams.enter_context(Stream(server, other, others)).response.status_code == 200


def test_when_all_streams_are_taken_a_client_is_told_to_come_later(
    serve: Callable[..., Server], user: User, other: User
) -> None:
    server, own, others = serve(EVENT_STREAMS="1"), waiting_job(user), waiting_job(other)
    with Stream(server, user, own) as first, Stream(server, other, others) as second:
        first.next()
        assert (second.response.status_code, second.response.headers["Retry-After"]) == (503, "10")
        assert second.response.json()["error"] == "busy"


def test_a_client_that_is_gone_makes_room_at_once(serve: Callable[..., Server], user: User) -> None:
    server, job_id = serve(EVENT_STREAMS="1"), waiting_job(user)
    with Stream(server, user, job_id) as stream:
        stream.next()

    def there_is_room() -> bool:
        with Stream(server, user, job_id) as stream:
            return stream.response.status_code == 200

    wait_until(there_is_room, 5, pause=0.2)


def test_a_stream_does_not_outlive_its_token(
    serve: Callable[..., Server], settings: Settings, user: User
) -> None:
    server, job_id, end = serve(), waiting_job(user), int(time.time()) + 4
    claims = {"sub": user.user_id, "type": "access", "jti": "1", "iat": end - 60, "nbf": end - 60, "exp": end}
    token = jwt.encode(claims, settings.jwt_secret_key, "HS256")
    with Stream(server, replace(user, api=user.api.with_token(token)), job_id) as stream:
        assert [state["status"] for _, state in stream.rest()] == ["queued"]
        assert end - 3 < time.time() < end


def test_a_stream_lasts_as_long_as_it_may(serve: Callable[..., Server], user: User) -> None:
    server, job_id = serve(EVENT_STREAM_SECONDS="1"), waiting_job(user)
    with Stream(server, user, job_id) as stream:
        assert [state["status"] for _, state in stream.rest()] == ["queued"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_stops_at_once_with_streams_open(
    serve: Callable[..., Server], user: User, number: signal.Signals
) -> None:
    server, job_id = serve(), waiting_job(user)
    with Stream(server, user, job_id) as stream:
        stream.next()
        began = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(SECONDS) == 0
        assert time.monotonic() - began < 3
