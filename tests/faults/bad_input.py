"""Makes up calls of the API from its own document, well formed and not, alone and one after another.

`python -m tests.faults.bad_input [--long] [--cases N]`. The application runs in this process, over real
storage and a real database; Schemathesis holds every answer to the document. Then comes what is made to break
a process of the API.
"""

import argparse
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, Verbosity
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from backend.adapters.schema_migration import migrate
from backend.app import create_app
from backend.bootstrap import Services, build_services, ensure_storage
from backend.domain.messages import CleaningMessage
from backend.settings import Settings
from tests.faults.findings import Finding, record
from tests.faults.hostile_uploads import send_hostile_bodies
from tests.local_storage import running_local_storage

USUAL_CASES = 1_000
LONG_CASES = 10_000

_LEFT_OUT = {
    # An id, a cursor or a number that the document allows may be of nothing, or over a limit of the settings.
    "positive_data_acceptance",
    # Tried by tests/faults/attacks.py, for every call and in more ways.
    "ignored_auth",
    "object_level_authorization",
}
_SETTINGS = {
    "ORCHESTRATOR_MODE": "local",
    # Whatever count is made up is mostly taken, and needs one message.
    "MAX_RECORD_COUNT": "1000000000",
    "GENERATION_BATCH_SIZE": "1000000000",
    "MAX_UPLOAD_BYTES": "200000",
    # Limits have tests of their own; here they would answer in place of what they guard.
    "CREDENTIAL_RATE_LIMIT": "1000000 per minute",
    "FAILED_LOGIN_LIMIT": "1000000 per minute",
    "MAX_OPEN_JOBS": "1000000",
}
_ACCOUNT = {"username": "ada", "password": "correct horse battery"}


@dataclass
class TriedApi:
    """The application with a user who has a job that is completed and one that is not.

    Attributes:
        statuses: how often each status was answered.
        wrong: what was wrong with answers, and how to ask for one of them again.
    """

    app: Flask
    refresh_token: str
    access_token: str
    job_ids: tuple[str, ...]
    dataset_id: str
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def try_calls(self, cases: int) -> int:
        """So many made-up calls at least, over all operations; how many that were."""
        operations = [result.ok() for result in self._schema().get_all_operations()]
        ways = [(operation, mode) for operation in operations for mode in GenerationMode]
        before = self.statuses.total()
        while (left := cases - self.statuses.total() + before) > 0:
            share = -(-left // len(ways))
            # What takes nothing can't be made wrong, and is not tried twice.
            ways = [way for way in ways if self._try_operation(*way, share)]
        return self.statuses.total() - before

    def try_sequences(self, sequences: int) -> int:
        """Calls that use what earlier ones answered; how many calls that were."""
        before = self.statuses.total()
        tried = self

        class Sequence(self._schema().as_state_machine()):  # type: ignore[misc] # made for this document
            def validate_response(self, response: Any, case: Case, **_: Any) -> None:
                tried.judge(case, response)

        Sequence.run(settings=_hypothesis(sequences, stateful_step_count=10))
        return self.statuses.total() - before

    def judge(self, case: Case, response: Any, headers: dict[str, str] | None = None) -> None:
        """Count an answer, and keep what is wrong with it."""
        self.statuses[response.status_code] += 1
        left_out = _LEFT_OUT | _left_out_here(case, response)
        checks = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in left_out]
        try:
            case.validate_response(response, checks=checks, headers=headers)
        except (AssertionError, BaseExceptionGroup) as error:
            found = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
            told = "\n".join(map(str, found))
            answered = f"{response.status_code} {response.text[:200]}"
            self.wrong.append(f"{case.as_curl_command()}\n{answered}\n{told}")

    def _try_operation(self, operation: Any, mode: GenerationMode, cases: int) -> int:
        before = self.statuses.total()
        token = self.refresh_token if operation.path == "/refresh" else self.access_token
        headers = {"Authorization": f"Bearer {token}"}
        for path in _paths(operation, mode, self):
            strategy = operation.as_strategy(generation_mode=mode, path_parameters=path)
            tried = hypothesis.given(case=strategy)(
                lambda case: self.judge(case, case.call(headers=headers), headers)
            )
            with suppress(hypothesis.errors.Unsatisfiable):
                _hypothesis(cases)(tried)()
        return self.statuses.total() - before

    def _schema(self) -> Any:
        headers = {"Authorization": f"Bearer {self.access_token}"}
        config = SchemathesisConfig.from_dict({"headers": headers})
        return schemathesis.openapi.from_wsgi("/openapi.json", self.app, config=config)


def _left_out_here(case: Case, response: Any) -> set[str]:
    if case.operation.label == "POST /upload_raw":
        # Almost any text is CSV, so that what was meant to be wrong may be records.
        return {"negative_data_rejection"}
    if response.status_code == 503 and "still_working" in response.text:
        # Nobody works here, and the document has this answer for whoever waited too long.
        return {"not_a_server_error"}
    return set()


def _paths(operation: Any, mode: GenerationMode, tried: TriedApi) -> list[dict[str, str] | None]:
    """Made-up ids, and those of jobs and of a dataset that are there, and are to stay."""
    if mode is GenerationMode.NEGATIVE:
        return [None]
    if "{jobId}" in operation.path:
        return [None, *({"jobId": job_id} for job_id in tried.job_ids)]
    if "{parentJobId}" in operation.path and operation.method == "get":
        table = {"table": "order"} if "{table}" in operation.path else {}
        return [None, {"parentJobId": tried.dataset_id, **table}]
    return [None]


def _hypothesis(examples: int, **more: Any) -> Any:
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        **more,
    )


@contextmanager
def tried_api() -> Iterator[TriedApi]:
    """The application, over storage of its own."""
    load_all_checks()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "storage").mkdir()
        with running_local_storage(folder / "storage") as storage:
            settings = Settings.from_environment(
                {
                    **_SETTINGS,
                    "AZURE_STORAGE_CONNECTION_STRING": storage.connection_string,
                    "DATABASE_URL": f"sqlite:///{folder / 'operational.sqlite'}",
                    "JWT_SECRET_KEY": secrets.token_hex(32),
                }
            )
            # No worker is here to end what it waits for.
            settings = replace(
                settings, synchronous_write_time=timedelta(milliseconds=10), event_stream_time=timedelta(0)
            )
            ensure_storage(settings)
            migrate(settings.require_database_url())
            services = build_services(settings)
            yield _with_jobs(create_app(settings, services), services)


def _with_jobs(app: Flask, services: Services) -> TriedApi:
    client = app.test_client()
    assert client.post("/register", json=_ACCOUNT).status_code == 201
    session = client.post("/login", json=_ACCOUNT).get_json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    dataset = client.post("/upload_raw", json=[{"order": {"id": "o-1"}}], headers=headers).get_json()
    body = {"parentJobId": dataset["parentJobId"]}
    ids = [client.post("/clean_data", json=body, headers=headers).get_json()["jobId"] for _ in range(2)]
    _run(services, session["user_id"], ids[0])
    return TriedApi(
        app, session["refresh_token"], session["access_token"], tuple(ids), dataset["parentJobId"]
    )


def _run(services: Services, user_id: str, job_id: str) -> None:
    job = services.jobs.get(user_id, job_id)
    assert job is not None
    assert job.processing_path is not None
    message = CleaningMessage(
        user_id=user_id,
        job_id=job_id,
        parent_job_id=job.parent_job_id,
        as_of=job.as_of,
        processing_path=job.processing_path,
    )
    services.cleaning.run(message, 1)
    services.loading.load(user_id, job_id)


def record_calls(tried: TriedApi, fault: str, count: int) -> None:
    """What made-up calls were answered with."""
    # Any other 503 is among the answers that are not allowed.
    classes = Counter(
        "503 still_working, as nobody works here" if status == 503 else f"{status // 100}xx"
        for status in tried.statuses.elements()
    )
    told = ", ".join(f"{number:,} {name}" for name, number in sorted(classes.items()))
    outcome = f"{told}; {len(tried.wrong)} answers that the document does not allow"
    record(Finding("Bad input", fault, count, outcome))


def main() -> None:
    """Try calls and uploads, and record what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="all uploads in their full size")
    parser.add_argument("--cases", type=int, help=f"calls; {LONG_CASES:,} with --long, else {USUAL_CASES:,}")
    arguments = parser.parse_args()
    cases = arguments.cases or (LONG_CASES if arguments.long else USUAL_CASES)
    with tried_api() as tried:
        count = tried.try_calls(cases)
        record_calls(tried, "calls made up from the OpenAPI document, well formed and not", count)
        tried.statuses.clear()
        count = tried.try_sequences(cases // 50)
        record_calls(tried, "sequences of calls, each with what the ones before answered", count)
        if tried.wrong:
            raise SystemExit("\n\n".join(tried.wrong))
    with tempfile.TemporaryDirectory() as folder:
        send_hostile_bodies(Path(folder), scale=100 if arguments.long else 5)


if __name__ == "__main__":
    main()
