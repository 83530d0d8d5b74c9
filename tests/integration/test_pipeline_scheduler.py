"""The scheduler, before a stand-in for the Functions host."""

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from werkzeug.wrappers import Request, Response

from backend.local.addresses import HOST, free_addresses
from backend.local.loopback_server import LoopbackServer
from backend.local.pipeline_scheduler import Pipeline, PipelineScheduler
from backend.services.pipeline_runs import PipelineRun
from tests.waiting import wait_until

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Host:
    """Answers every call as it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.bodies: list[bytes] = []
        self.answer = Response('{"status": "empty"}')
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._port = free_addresses().functions

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        self.calls.append(f"{request.method} {request.path}")
        self.bodies.append(request.get_data())
        self.may_answer.wait(30)
        return self.answer(environ, start_response)

    @contextmanager
    def listening(self) -> Iterator[None]:
        server = LoopbackServer(self._port, self, 2, 1024)
        server.start()
        try:
            yield
        finally:
            self.may_answer.set()
            server.stop()


@pytest.fixture
def host() -> Host:
    return Host()


class Log:
    """What the scheduler said, without what the web server beside it may have to say."""

    def __init__(self, captured: pytest.LogCaptureFixture) -> None:
        self._captured = captured

    @property
    def messages(self) -> list[str]:
        return [each.getMessage() for each in self._captured.records if each.name == "pipeline_scheduler"]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    caplog.set_level(logging.INFO, "pipeline_scheduler")
    return Log(caplog)


def _draining(host: Host) -> PipelineScheduler:
    return PipelineScheduler(host.url, [Pipeline("large", "drain", 0)])


def test_each_function_is_called_when_it_is_due(host: Host) -> None:
    scheduler = PipelineScheduler(host.url, [Pipeline("a", "often", 0), Pipeline("b", "seldom", 3600)])
    assert scheduler.seconds_until_due() == 0
    with host.listening():
        scheduler.call_due()
        scheduler.call_due()
    assert host.calls == ["POST /api/often", "POST /api/seldom", "POST /api/often"]


def test_nothing_is_due_until_the_interval_has_passed(host: Host) -> None:
    scheduler = PipelineScheduler(host.url, [Pipeline("b", "seldom", 3600)])
    with host.listening():
        scheduler.call_due()
    assert 3500 < scheduler.seconds_until_due() <= 3600


def test_only_answers_that_are_new_are_logged(host: Host, log: Log) -> None:
    scheduler = _draining(host)
    with host.listening():
        for body in ('{"status": "empty"}', '{"status": "working"}', '{"status": "empty"}'):
            host.answer = Response(body)
            for _ in range(3):
                scheduler.call_due()
    assert log.messages == [
        'drain: {"status": "empty"}',
        'drain: {"status": "working"}',
        'drain: {"status": "empty"}',
    ]


def test_a_function_that_keeps_failing_is_logged_once(host: Host, log: Log) -> None:
    scheduler = _draining(host)
    with host.listening():
        for number in range(3):
            host.answer = Response(f'{{"message": "The function failed.", "requestId": "{number}"}}', 500)
            scheduler.call_due()
    assert log.messages == ["drain: 500 The function failed."]


@pytest.mark.parametrize("body", ["<html>", "{}", "[]"])
def test_an_error_that_is_not_the_hosts_own_is_told_by_its_name(host: Host, log: Log, body: str) -> None:
    with host.listening():
        host.answer = Response(body, 502)
        _draining(host).call_due()
    assert log.messages == ["drain: 502 BAD GATEWAY"]


def test_a_proxy_of_the_environment_is_not_asked(
    host: Host, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://{HOST}:{free_addresses().functions}")
    with host.listening():
        _draining(host).call_due()
    assert log.messages == ['drain: {"status": "empty"}']


def test_a_host_that_is_away_is_called_until_it_is_back(host: Host, log: Log) -> None:
    scheduler = _draining(host)
    for _ in range(2):
        scheduler.call_due()
        scheduler.call_due()
        with host.listening():
            scheduler.call_due()
    away, back = "drain: no answer (ConnectionError)", 'drain: {"status": "empty"}'
    assert log.messages == [away, back, away, back]


def test_a_run_that_found_something_is_recorded_when_it_has_ended(host: Host) -> None:
    scheduler = _draining(host)
    answers = (
        '{"status": "empty", "started": 0}',
        '{"status": "working", "started": 1}',
        '{"status": "working", "started": 1}',
        '{"status": "working", "started": 0, "finished": 1}',
        '{"status": "empty", "started": 0}',
    )
    with host.listening():
        for answer in answers:
            host.answer = Response(answer)
            scheduler.call_due()
    assert host.calls == ["POST /api/drain"] * 5 + ["POST /api/record_pipeline_run"]
    run = PipelineRun.decode(host.bodies[-1])
    assert (run.pipeline, run.trigger, run.outcome) == ("large", "every 0 s", "succeeded")
    assert run.steps == {
        "drain": [
            {"status": "working", "started": 1},
            {"status": "working", "started": 0, "finished": 1},
        ]
    }


def test_a_run_is_recorded_as_failed_when_its_function_fails(host: Host) -> None:
    scheduler = _draining(host)
    with host.listening():
        host.answer = Response('{"status": "working", "started": 1}')
        scheduler.call_due()
        host.answer = Response("", 500)
        scheduler.call_due()
    assert PipelineRun.decode(host.bodies[-1]).outcome == "failed"


def test_a_run_that_could_not_be_recorded_is_recorded_later(host: Host) -> None:
    pipeline = Pipeline("large", "drain", 3600)
    scheduler = PipelineScheduler(host.url, [pipeline])
    with host.listening():
        host.answer = Response('{"status": "working", "started": 1}')
        scheduler.call_due()
    pipeline.due = 0
    scheduler.call_due()
    with host.listening():
        host.answer = Response("{}")
        scheduler.call_due()
    assert host.calls == ["POST /api/drain", "POST /api/record_pipeline_run"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_drains_the_large_queue_and_ends_at_a_signal_though_a_call_is_under_way(
    host: Host, number: signal.Signals
) -> None:
    host.may_answer.clear()
    command = [sys.executable, "-m", "backend.local.pipeline_scheduler", "--functions-url", host.url]
    with host.listening(), subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: host.calls)
            process.send_signal(number)
            _, said = process.communicate(timeout=10)
        finally:
            process.kill()
    assert host.calls == ["POST /api/drain_large_batch_queue"]
    assert (process.returncode, said) == (0, "")
