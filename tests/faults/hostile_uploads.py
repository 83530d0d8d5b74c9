"""Sends hostile bodies to a process of the API, and sees what they cost it."""

import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from backend.adapters.schema_migration import migrate
from backend.bootstrap import build_services, ensure_storage
from backend.settings import Settings
from tests.e2e.api_user import ApiUser
from tests.faults.findings import Finding, record
from tests.faults.hostile_bodies import Body, hostile_bodies
from tests.local_storage import running_local_storage

ANSWER_SECONDS = 300
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answered:
    """What became of a body.

    Attributes:
        megabytes: what the API's process held at its peak.
    """

    body: Body
    status: int
    seconds: float
    megabytes: float

    @property
    def right(self) -> bool:
        """Whether it was answered as it may be."""
        return self.status in self.body.statuses


@contextmanager
def _served(settings: dict[str, str]) -> Iterator[tuple[int, str]]:
    """A process of the API: its id and its address."""
    command = [sys.executable, "-m", "backend", "serve", "--port", "0"]
    environment = {"PATH": os.environ["PATH"], **settings}
    with subprocess.Popen(
        command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            match = re.fullmatch(r"Serving on (http://\S+)\n", process.stdout.readline())
            assert match is not None
            yield process.pid, match[1]
            assert process.poll() is None
        finally:
            process.kill()


def send_all(folder: Path, scale: int) -> list[Answered]:
    """Send every body; what is refused leaves nothing in Bronze."""
    (folder / "storage").mkdir()
    with running_local_storage(folder / "storage") as storage:
        environment = {
            "ORCHESTRATOR_MODE": "local",
            "AZURE_STORAGE_CONNECTION_STRING": storage.connection_string,
            "DATABASE_URL": f"sqlite:///{folder / 'operational.sqlite'}",
            "JWT_SECRET_KEY": secrets.token_hex(32),
        }
        settings = Settings.from_environment(environment)
        ensure_storage(settings)
        migrate(settings.require_database_url())
        with _served(environment) as (process_id, url):
            user = ApiUser(url)
            answered = [_send(user, process_id, body) for body in hostile_bodies(scale)]
            assert user.call("GET", "/readyz").status_code == 200
            user.close()
        files = build_services(settings).bronze.list_files(user.user_id)
    datasets = {file.path.split("/")[1] for file in files}
    assert len(datasets) == sum(each.status == 201 for each in answered)
    return answered


def _send(user: ApiUser, process_id: int, body: Body) -> Answered:
    # From here on the kernel notes the peak anew.
    Path(f"/proc/{process_id}/clear_refs").write_text("5")
    headers = {"Content-Type": body.content_type}
    began = time.monotonic()
    try:
        status = user.call(
            "POST", body.path, data=body.content(), headers=headers, timeout=ANSWER_SECONDS
        ).status_code
    except requests.ConnectionError:
        # The connection is closed while the body is still being sent: that is how a server refuses the rest.
        status = 413
    return Answered(body, status, time.monotonic() - began, _peak_megabytes(process_id))


def _peak_megabytes(process_id: int) -> float:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    [kilobytes] = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return kilobytes / 1024


def send_hostile_bodies(folder: Path, *, scale: int) -> list[Answered]:
    """Send them, and record what they cost."""
    answered = send_all(folder, scale)
    slowest = max(answered, key=lambda each: each.seconds)
    largest = max(answered, key=lambda each: each.megabytes)
    refused = sum(each.status >= 400 for each in answered)
    wrong = [f"{each.body.name}: {each.status}" for each in answered if not each.right]
    outcome = (
        f"{len(wrong)} wrong answers; {refused} refused with nothing left in Bronze,"
        f" {len(answered) - refused} taken;"
        f" the slowest took {slowest.seconds:.1f} s ({slowest.body.name}),"
        f" the API held {largest.megabytes:.0f} MB at most ({largest.body.name})"
    )
    record(Finding("Bad input", "uploads and jobs made to break the service", len(answered), outcome))
    if wrong:
        raise AssertionError(wrong)
    return answered
