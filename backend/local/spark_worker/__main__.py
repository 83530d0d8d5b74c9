"""`python -m backend.local.spark_worker --port PORT --scratch DIR`: serve until SIGTERM or SIGINT."""

import argparse
import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import NoReturn

from backend.bootstrap import build_services, send_traces
from backend.local.loopback_server import LoopbackServer
from backend.local.spark_worker.cleaning import clean, warm_up
from backend.local.spark_worker.http_endpoint import MAX_BODY_BYTES, WorkerEndpoint
from backend.local.spark_worker.priority import give_way
from backend.local.spark_worker.runs import Runs
from backend.local.spark_worker.session import WarmSession
from backend.settings import Settings
from backend.telemetry.log_lines import log_json_lines

_THREADS = 4


def main() -> None:
    """Run a worker; its status is 0 after a stop, 1 when it can't listen, or has lost Spark."""
    options = _options()
    give_way()
    log_json_lines("spark worker")
    ended: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.put(0))
    _empty(options.scratch)
    settings = Settings.from_environment()
    send_traces(settings, "spark worker")
    services = build_services(settings)
    session = WarmSession(options.scratch, partial(warm_up, services), lambda: ended.put(1))
    runs = Runs(lambda message: clean(services, session.spark, message))
    endpoint = WorkerEndpoint(runs, lambda: session.status)
    try:
        server = LoopbackServer(options.port, endpoint, _THREADS, MAX_BODY_BYTES)
    except OSError as error:
        sys.exit(f"spark_worker: port {options.port}: {error}")
    server.start()
    session.start()
    _end(ended.get(), session, options.scratch)


def _end(status: int, session: WarmSession, scratch: Path) -> NoReturn:
    # Whatever fails from here on fails because of the end, and nobody need hear of it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    session.kill()
    shutil.rmtree(scratch, ignore_errors=True)
    # Without waiting for runs: what they wait for is gone, and their messages will be delivered again.
    os._exit(status)


def _empty(scratch: Path) -> None:
    """Make the folder anew, without what a killed worker left there, and keep all temporary files in it."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    os.environ["TMPDIR"] = str(scratch)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="spark_worker", description="Spark runs of this machine.")
    parser.add_argument("--port", type=int, required=True, help="where to listen, on the loopback interface")
    parser.add_argument(
        "--scratch", type=_absolute, required=True, metavar="DIR", help="for Spark's files; emptied first"
    )
    return parser.parse_args()


def _absolute(text: str) -> Path:
    return Path(text).resolve()


if __name__ == "__main__":
    main()
