import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest

from backend.domain.messages import CleaningMessage
from backend.telemetry import traces
from backend.telemetry.job_work import working_on
from backend.telemetry.log_lines import JsonLines, about, add_ids, hashed, log_event

USER = "0123456789abcdef0123456789abcdef"
JOB = "fe6b1c2d3e4f5a6b7c8d9e0f1a2b3c4d"
TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MESSAGE = {
    "userId": USER,
    "jobId": JOB,
    "parentJobId": "orders",
    "asOf": "2026-11-23T09:00:00Z",
    "processingPath": "small_batch",
    "traceParent": TRACE_PARENT,
}

logger = logging.getLogger("backend.tests.log_lines")


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged, line by line."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines("functions"))
    backend = logging.getLogger("backend")
    backend.addHandler(handler)
    backend.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    backend.removeHandler(handler)
    backend.setLevel(logging.NOTSET)


def message() -> CleaningMessage:
    return CleaningMessage.decode(json.dumps(MESSAGE).encode())


def test_a_line_tells_time_in_utc_level_service_logger_and_event(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    logger.warning("job %s waits", "x")

    [line] = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning",
        "service": "functions",
        "logger": "backend.tests.log_lines",
        "event": "job x waits",
    }


def test_an_event_and_an_error_stay_on_one_line(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log_event(logger, logging.INFO, "two\nlines", rows=3)
    logger.error("failed", exc_info=ValueError("told\nto fail"))

    first, second = lines()
    assert (first["event"], first["rows"]) == ("two\nlines", 3)
    assert "ValueError: told\nto fail" in second["trace"]


def test_ids_are_those_of_the_block_and_the_thread(lines: Callable[[], list[dict[str, Any]]]) -> None:
    with about(job_id="a"):
        with about(user="u"):
            add_ids(run="r")
            logger.info("inner")
        logger.info("outer")
        other = Thread(target=lambda: logger.info("elsewhere"))
        other.start()
        other.join()
    logger.info("after")

    ids = [{key: line[key] for key in ("job_id", "user", "run") if key in line} for line in lines()]
    assert ids == [{"job_id": "a", "user": "u", "run": "r"}, {"job_id": "a"}, {}, {}]


def test_work_on_a_job_is_told_with_its_ids_and_the_request_that_asked_for_it(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    with working_on(message(), "clean dataset", attempt=2):
        logger.info("within")
    logger.info("after")

    within, ended, after = lines()
    for line in (within, ended):
        assert line["job_id"] == JOB
        assert line["user"] == hashed(USER)
        assert line["request_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert (ended["event"], ended["attempt"]) == ("clean dataset ended", 2)
    assert ended["seconds"] >= 0
    assert "job_id" not in after
    assert "request_id" not in after


def test_a_hash_is_the_same_for_the_same_user_and_does_not_hold_the_id() -> None:
    assert hashed(USER) == hashed(USER) != hashed(USER[::-1])
    assert len(hashed(USER)) == 16
    assert hashed(USER) not in USER


def test_without_a_tracer_ids_travel_alone() -> None:
    with traces.request("POST /clean_data", traced=True):
        sent, request_id = traces.trace_parent(), traces.request_id()
        with traces.span("a part"):
            assert traces.trace_parent() == sent
    assert traces.trace_parent() is None
    with traces.continued("transform_small_batch_queue", sent):
        assert traces.request_id() == request_id


def test_work_without_a_trace_begins_one() -> None:
    with traces.continued("transform_small_batch_queue", None):
        assert len(traces.request_id() or "") == 32


PROGRAM = """
import logging, sys
from backend.telemetry.log_lines import log_json_lines
{before}
log_json_lines("api")
logging.getLogger("azure.core").info("chatty")
logging.getLogger("backend").info("told")
"""


def run(before: str) -> str:
    completed = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return completed.stderr


def test_a_process_logs_to_standard_error_and_the_sdks_only_warnings() -> None:
    [line] = run("").splitlines()

    assert json.loads(line)["event"] == "told"


def test_the_handler_of_a_host_is_given_the_form_and_one_that_has_a_form_keeps_it() -> None:
    bare = "logging.getLogger().addHandler(logging.StreamHandler())"
    formed = "logging.basicConfig(format='own %(message)s')"

    assert json.loads(run(bare))["service"] == "api"
    assert run(formed) == "own told\n"


def test_processes_load_no_tracing_and_no_metrics_library_until_they_need_them() -> None:
    program = "import backend.commands.serve, backend.myfunc.function_app, sys; print(' '.join(sys.modules))"

    completed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    loaded = set(completed.stdout.split())
    assert "backend.telemetry.traces" in loaded
    assert {"opentelemetry", "prometheus_client", "azure.monitor"}.isdisjoint(loaded)
