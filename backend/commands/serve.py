"""`python -m backend serve`: the HTTP API on Waitress, until SIGTERM or Ctrl-C."""

import argparse
import signal
import sys
from types import FrameType

from backend.app import create_app
from backend.bootstrap import build_services, send_traces
from backend.commands.api_server import ApiServer
from backend.domain.errors import InvalidSettings
from backend.routes.event_streams import end_event_streams
from backend.settings import Settings
from backend.telemetry.log_lines import log_json_lines

EXAMPLES = ("serve", "serve --host 0.0.0.0 --port 8000 --threads 32")

_GREATEST_PORT = 65_535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=_port, default=5000, help="0 takes a free one; default: %(default)s")
    parser.add_argument("--threads", type=_threads, default=16, help="default: %(default)s")


def run(arguments: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Serve until told to stop; 0, or 1 after one line on stderr when the service can't start."""
    log_json_lines("api")
    try:
        settings = Settings.from_environment()
        settings.require_own_storage()
        send_traces(settings, "api")
        app = create_app(settings, build_services(settings))
        server = ApiServer(app, settings, host=arguments.host, port=arguments.port, threads=arguments.threads)
    except InvalidSettings as error:
        return _refused(str(error))
    except OSError as error:
        return _refused(f"can't listen on {arguments.host}:{arguments.port}: {error.strerror or error}")

    def stop(_number: int, _frame: FrameType | None) -> None:
        end_event_streams(app)
        # Waitress takes this for its cue to finish what it is answering, and to end.
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    port = server.effective_port  # type: ignore[attr-defined] # the stubs lack it
    sys.stdout.write(f"Serving on http://{arguments.host}:{port}\n")
    sys.stdout.flush()
    server.run()
    return 0


def _refused(reason: str) -> int:
    sys.stderr.write(f"serve: {reason}\n")
    return 1


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= _GREATEST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return port


def _threads(text: str) -> int:
    threads = int(text)
    if threads < 1:
        raise argparse.ArgumentTypeError("at least one thread is needed")
    return threads
