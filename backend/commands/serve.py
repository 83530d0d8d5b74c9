"""`python -m backend serve`: the HTTP API on Waitress, until SIGTERM or Ctrl-C."""

import argparse
import signal
import sys
from types import FrameType

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask

from backend.app import create_app
from backend.bootstrap import build_services, send_traces
from backend.domain.errors import InvalidSettings
from backend.routes.data import MULTIPART_OVERHEAD_BYTES
from backend.routes.errors import error_response
from backend.settings import Settings
from backend.telemetry.log_lines import log_json_lines

_GREATEST_PORT = 65_535

# Not Waitress's own words, which quote what was sent.
_REFUSALS = {
    400: "the request is not well-formed HTTP: send one that is",
    413: "the body is too large: send less at once",
    431: "the headers are too large: send less of them",
    501: "the transfer encoding is not known: send the body as it is, or chunked",
}


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
        send_traces(settings, "api")
        app = create_app(settings, build_services(settings))
        server = ApiServer(
            app,
            host=arguments.host,
            port=arguments.port,
            threads=arguments.threads,
            ident=None,
            # What the trusted proxies say is needed; from anybody else it is not looked at.
            clear_untrusted_proxy_headers=settings.trusted_proxy_count == 0,
            max_request_body_size=settings.max_upload_bytes + MULTIPART_OVERHEAD_BYTES,
        )
    except InvalidSettings as error:
        return _refused(str(error))
    except OSError as error:
        return _refused(f"can't listen on {arguments.host}:{arguments.port}: {error.strerror or error}")
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    port = server.effective_port  # type: ignore[attr-defined] # the stubs lack it
    sys.stdout.write(f"Serving on http://{arguments.host}:{port}\n")
    sys.stdout.flush()
    server.run()
    return 0


class ApiErrorTask(ErrorTask):
    """What Waitress refuses before it is a request, such as a body over the limit, in the API's shape."""

    def execute(self) -> None:
        """Answer the error."""
        error = self.request.error  # type: ignore[attr-defined] # set on every request that gets here
        code = error.reason.lower().replace(" ", "_") if error.code != 413 else "too_large"
        answer = error_response(error.code, code, _REFUSALS.get(error.code, error.reason))
        body = answer.get_data()
        self.status = answer.status
        self.response_headers = list(answer.headers.items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class ApiChannel(HTTPChannel):
    """One connection."""

    error_task_class = ApiErrorTask


class ApiServer(TcpWSGIServer):
    """Waitress with our errors."""

    channel_class = ApiChannel


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Waitress takes this for its cue to finish what it is answering, and to end.
    raise SystemExit(0)


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
