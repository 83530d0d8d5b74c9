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
from backend.local.pipeline_scheduler import PipelineScheduler
from tests.waiting import wait_until

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Host:
    """Answers every call as it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
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


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "pipeline_scheduler")
    return caplog


def test_each_function_is_called_when_it_is_due(host: Host) -> None:
    scheduler = PipelineScheduler(host.url, {"often": 0, "seldom": 3600})
    assert scheduler.seconds_until_due() == 0
    with host.listening():
        scheduler.call_due()
        scheduler.call_due()
    assert host.calls == ["POST /api/often", "POST /api/seldom", "POST /api/often"]


def test_nothing_is_due_until_the_interval_has_passed(host: Host) -> None:
    scheduler = PipelineScheduler(host.url, {"seldom": 3600})
    with host.listening():
        scheduler.call_due()
    assert 3500 < scheduler.seconds_until_due() <= 3600


def test_only_answers_that_are_new_are_logged(host: Host, log: pytest.LogCaptureFixture) -> None:
    scheduler = PipelineScheduler(host.url, {"drain": 0})
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


def test_a_function_that_keeps_failing_is_logged_once(host: Host, log: pytest.LogCaptureFixture) -> None:
    scheduler = PipelineScheduler(host.url, {"drain": 0})
    with host.listening():
        for number in range(3):
            host.answer = Response(f'{{"message": "The function failed.", "requestId": "{number}"}}', 500)
            scheduler.call_due()
    assert log.messages == ["drain: 500 The function failed."]


@pytest.mark.parametrize("body", ["<html>", "{}", "[]"])
def test_an_error_that_is_not_the_hosts_own_is_told_by_its_name(
    host: Host, log: pytest.LogCaptureFixture, body: str
) -> None:
    with host.listening():
        host.answer = Response(body, 502)
        PipelineScheduler(host.url, {"drain": 0}).call_due()
    assert log.messages == ["drain: 502 BAD GATEWAY"]


def test_a_proxy_of_the_environment_is_not_asked(
    host: Host, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://{HOST}:{free_addresses().functions}")
    with host.listening():
        PipelineScheduler(host.url, {"drain": 0}).call_due()
    assert log.messages == ['drain: {"status": "empty"}']


def test_a_host_that_is_away_is_called_until_it_is_back(host: Host, log: pytest.LogCaptureFixture) -> None:
    scheduler = PipelineScheduler(host.url, {"drain": 0})
    for _ in range(2):
        scheduler.call_due()
        scheduler.call_due()
        with host.listening():
            scheduler.call_due()
    away, back = "drain: no answer (ConnectionError)", 'drain: {"status": "empty"}'
    assert log.messages == [away, back, away, back]


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
