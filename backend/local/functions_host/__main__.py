"""`python -m backend.local.functions_host --app MODULE --http-port PORT`."""

import argparse
import logging
import os
import signal
import sys
import threading

from backend.local.functions_host.errors import InvalidFunctionApp, WorkerExited
from backend.local.functions_host.host import FunctionsHost, HostOptions
from backend.local.functions_host.log_lines import log_event
from backend.telemetry.log_lines import log_json_lines

# Measured on 2 cores with 24 messages that each generate and clean 2,500 records: 5.9 s with one process
# of one thread, 6.5 s with one of six, 2.8 s with two of one. So a process for each core; a second thread
# lets one function compute while another waits for storage. Each process takes about 250 MB.
_MAX_DEFAULT_PROCESSES = 4
_DEFAULT_THREADS = 2


def main() -> int:
    """Run a host until SIGTERM or SIGINT; 0 after a stop, 1 when the app can't be run."""
    log_json_lines("functions host")
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    try:
        host = FunctionsHost(_options())
        host.start()
    except (InvalidFunctionApp, WorkerExited, OSError) as error:
        log_event("host not started", logging.ERROR, error=str(error))
        return 1
    while not stopping.is_set() and not host.ended.is_set():
        stopping.wait(0.5)
    host.stop()
    return 0 if stopping.is_set() else 1


def _options() -> HostOptions:
    parser = argparse.ArgumentParser(prog="python -m backend.local.functions_host", description=__doc__)
    parser.add_argument("--app", required=True, help="the module of the function app")
    parser.add_argument("--http-port", required=True, type=int, help="on 127.0.0.1; 0 for any free one")
    # Azure's names and meanings; argparse reads a default that is a text as it reads an argument.
    processes = os.environ.get("FUNCTIONS_WORKER_PROCESS_COUNT", str(_default_processes()))
    parser.add_argument("--worker-processes", type=_positive, default=processes)
    threads = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", str(_DEFAULT_THREADS))
    parser.add_argument("--worker-threads", type=_positive, default=threads)
    arguments = parser.parse_args()
    return HostOptions(
        app=arguments.app,
        environment=os.environ,
        http_port=arguments.http_port,
        worker_processes=arguments.worker_processes,
        worker_threads=arguments.worker_threads,
    )


def _default_processes() -> int:
    return min(os.cpu_count() or 1, _MAX_DEFAULT_PROCESSES)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main())
