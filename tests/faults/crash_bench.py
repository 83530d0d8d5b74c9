"""A running stack whose processes can be killed at any write, and a client who is not put off by that."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Self

import psutil
import requests

from backend.azure_clients import queue_service
from backend.bootstrap import build_services
from backend.configured_adapters import queue_names
from backend.domain.jobs import Job
from backend.sample_data.generator import generate_chunk
from backend.settings import Settings
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack, lives
from tests.faults.ended_jobs import EndedJobs
from tests.waiting import wait_until

STALE_SECONDS = 3
_PART_RECORDS = 30
_JOB_SECONDS = 300
_QUIET_SECONDS = 60
# The host's lease: so long nobody sees a message that a killed host had in hand.
_LEASE_SECONDS = 600
# The stack ends when a part dies five times with less than this between.
_STEADY_SECONDS = 21
_DEATHS_IN_A_ROW = 3
# Some points are come to by one job and not by another: progress is shown four times a second at most.
_JOBS_FOR_A_POINT = 3


class Work(Enum):
    """What a client has done, with so many records."""

    SMALL = 90
    UPLOADED = 75
    LARGE = 120


@dataclass(frozen=True)
class Point:
    """A write of one kind of work, and the moment: before, during or after it."""

    work: Work
    name: str


@dataclass(frozen=True)
class Disturbed:
    """What one disturbance did: whether it took place, and how long the job took to its end."""

    point: Point
    fired: bool
    seconds: float


@dataclass
class CrashBench:
    """A running stack with fault points and one user, each of whose jobs is looked at when it has ended."""

    folder: Path
    stack: RunningStack = field(init=False)
    user: ApiUser = field(init=False)
    jobs: EndedJobs = field(init=False)

    def __enter__(self) -> Self:
        self._began = datetime.now(UTC)
        self._job_ids: list[str] = []
        self._deaths_of_parts = 0
        self._faults = self.folder / "faults"
        self._faults.mkdir()
        self.stack = RunningStack(
            self.folder / "state",
            FAULT_POINTS=str(self._faults),
            HEARTBEAT_SECONDS="1",
            STALE_AFTER_SECONDS=str(STALE_SECONDS),
            GENERATION_BATCH_SIZE=str(_PART_RECORDS),
            PART_RECORD_LIMIT=str(_PART_RECORDS),
            SMALL_BATCH_RECORD_LIMIT=str(Work.SMALL.value),
        )
        try:
            self.stack.wait_ready()
            self.user = ApiUser(self.stack.url)
        except BaseException:
            self.stack.stop()
            raise
        environment = {"AZURE_STORAGE_CONNECTION_STRING": self.stack.addresses.connection_string}
        self.services = build_services(Settings.from_environment(environment))
        self.jobs = EndedJobs(self.services, self.stack.state)
        return self

    def __exit__(self, *_: object) -> None:
        self.user.close()
        self.stack.stop()

    def points(self, work: Work) -> list[Point]:
        """Every point that such work alone comes to when it is not disturbed, in that order."""
        if work is Work.LARGE:
            # The first job has to wait for Spark, and says so.
            self.run_job(work)
        reached = self._faults / "reached"
        reached.touch()
        self.run_job(work)
        lines = reached.read_text().splitlines()
        reached.unlink()
        names = list(dict.fromkeys(lines))
        if work is Work.UPLOADED:
            names = names[: names.index("before create_entity IdempotencyKeys")]
        if work is Work.LARGE:
            names = names[names.index("after send large-batch-queue") :]
        return [Point(work, name) for name in names]

    def run_job(self, work: Work) -> None:
        """Have a job run to its end, and check it."""
        job_id = self.submit(work)
        self._wait_for_end(job_id)
        self._check(job_id, work)

    def submit(self, work: Work) -> str:
        """Submit a job as a client does that is not put off by a broken connection; its id."""
        body: dict[str, Any] = {"dataCount": work.value}
        if work is Work.UPLOADED:
            records = json.loads(generate_chunk(len(self._job_ids), 0, work.value, 0.05))
            body = {"parentJobId": self._insist("/upload_raw", 201, json=records)["parentJobId"]}
        headers = {"Idempotency-Key": os.urandom(8).hex()}
        job_id = str(self._insist("/clean_data", 202, json=body, headers=headers)["jobId"])
        self._job_ids.append(job_id)
        return job_id

    def strike(self, point: Point, number: signal.Signals = signal.SIGKILL) -> Disturbed:
        """Let a process get a signal at a point of new work, and check what comes of that work.

        A process that was stopped goes on when the job has ended without it.
        """
        for _ in range(_JOBS_FOR_A_POINT):
            self._spare_the_stack()
            parts = {process.pid for process in psutil.Process(self.stack.process.pid).children()}
            messages, began = self._messages(), time.monotonic()
            with self._armed(f"{number.name} {point.name}") as struck:
                job_id = self.submit(point.work)
                self._wait_for_end(job_id)
                seconds = time.monotonic() - began
            self._deaths_of_parts += len(parts.intersection(struck))
            if number is signal.SIGSTOP:
                # Whoever goes on has a message in hand, which is invisible until they have done with it.
                wait_until(lambda messages=messages: self._messages() <= messages, _JOB_SECONDS)
            self._check(job_id, point.work)
            if struck:
                return Disturbed(point, True, seconds)
        return Disturbed(point, False, seconds)

    @contextmanager
    def tripled(self) -> Iterator[None]:
        """Meanwhile every message is sent three times."""
        (self._faults / "tripled").touch()
        yield
        (self._faults / "tripled").unlink()

    def restart_azurite(self, point: Point) -> bool:
        """End Azurite when a job has come to a point; whether the job ended only after that.

        It is ended as a service manager does, and the stack's supervisor starts it again.
        """
        self._spare_the_stack()
        reached = self._faults / "reached"
        reached.touch()
        job_id = self.submit(point.work)
        wait_until(lambda: point.name in reached.read_text().splitlines(), _JOB_SECONDS, pause=0.005)
        azurite = next(each for each in self.stack.processes() if "azurite" in " ".join(each.cmdline()))
        azurite.terminate()
        azurite.wait(30)
        ended = datetime.now(UTC)
        self._deaths_of_parts += 1
        self._wait_for_end(job_id)
        reached.unlink()
        job = self._check(job_id, point.work)
        return job.finished_at is not None and job.finished_at > ended

    def check_endings(self) -> None:
        """Every job that was accepted has ended once, and there is none that nobody knows of."""
        self.jobs.check_endings(self.user.user_id, self._job_ids, self._began)

    def wait_until_empty(self) -> None:
        """Wait until no queue holds a message, also none that a killed host has left invisible."""
        wait_until(lambda: self._messages() == 0, _LEASE_SECONDS + 60, pause=1)

    def unfinished_files(self) -> list[str]:
        """Files that nobody will finish, in both containers."""
        found = []
        for container in (self.services.bronze, self.services.lake):
            paths = container._client.get_paths(recursive=True)
            found += [path.name for path in paths if path.name.endswith(".uploading")]
        return found

    def bronze_folders(self) -> set[str]:
        """The datasets that have files in Bronze."""
        return {file.path.split("/")[1] for file in self.services.bronze.list_files("")}

    @contextmanager
    def _armed(self, order: str) -> Iterator[list[int]]:
        """Meanwhile a point is armed; afterwards the list holds the process that came there, if one did."""
        armed = self._faults / "armed"
        armed.with_name("arming").write_text(order)
        armed.with_name("arming").rename(armed)
        fired: list[int] = []
        yield fired
        armed.unlink(missing_ok=True)
        for file in self._faults.glob("fired-*"):
            fired.append(int(file.name.partition("-")[2]))
            if order.startswith(signal.SIGSTOP.name):
                os.kill(fired[-1], signal.SIGCONT)
            file.unlink()

    def _check(self, job_id: str, work: Work) -> Job:
        self._wait_until_quiet()
        job = self.jobs.check(self.user.user_id, job_id, work.value)
        assert self.jobs.poisoned() == 0
        return job

    def _messages(self) -> int:
        """How many messages there are, those that somebody has in hand included."""
        return sum(map(self.services.queues.depth, queue_names(self.services.settings)))

    def _spare_the_stack(self) -> None:
        """Now and then wait until every part has run for a while: five early deaths would end the stack."""
        if self._deaths_of_parts < _DEATHS_IN_A_ROW:
            return
        self._deaths_of_parts = 0
        supervisor = psutil.Process(self.stack.process.pid)

        def all_steady() -> bool:
            parts = [part for part in supervisor.children() if lives(part)]
            return all(time.time() - part.create_time() > _STEADY_SECONDS for part in parts)

        wait_until(all_steady, _JOB_SECONDS, pause=0.5)

    def _insist(self, path: str, status: int, **body: Any) -> dict[str, Any]:
        """Call until there is an answer: while a part is started again there may be none, or 503."""

        def answer() -> dict[str, Any] | None:
            try:
                response = self.user.call("POST", path, **body)
            except requests.ConnectionError:
                return None
            assert response.status_code in (status, 503), response.text
            return dict(response.json()) if response.status_code == status else None

        return wait_until(answer, _JOB_SECONDS, pause=0.1) or {}

    def _wait_for_end(self, job_id: str) -> None:
        """Wait until a job is completed, whose progress never goes back meanwhile."""
        done = 0
        told = "nothing"

        def has_ended() -> bool:
            nonlocal done, told
            try:
                response = self.user.call("GET", f"/jobs/{job_id}")
            except requests.ConnectionError:
                return False
            if response.status_code == 503:
                return False
            assert response.status_code == 200, response.text
            job, told = response.json(), response.text
            assert job["progress"]["done"] >= done, "progress went back"
            done = job["progress"]["done"]
            assert job["status"] != "failed", job["error"]
            return bool(job["status"] == "completed")

        try:
            wait_until(has_ended, _JOB_SECONDS, pause=0.1)
        except AssertionError as error:
            error.add_note(f"the API said last: {told}")
            raise

    def _wait_until_quiet(self) -> None:
        """Wait until no queue shows a message."""
        with queue_service(self.services.settings.storage) as queues:
            for name in queue_names(self.services.settings):
                shown: Callable[..., Any] = queues.get_queue_client(name).peek_messages
                wait_until(lambda shown=shown: not shown(), _QUIET_SECONDS, pause=0.1)
