"""Waitress with our errors, which takes a large body in only where one belongs and from somebody it knows.

Waitress reads a body whole, onto the disk when it is large, before the application sees the request.
"""

import socket
from copy import copy

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import Error, RequestEntityTooLarge

from backend.commands.open_files import allow_open_files
from backend.console.dataset_views import UPLOAD_PATH as CONSOLE_UPLOAD_PATH
from backend.console.session import is_session
from backend.routes.authentication import is_access_token
from backend.routes.data import MULTIPART_OVERHEAD_BYTES, UPLOAD_PATH
from backend.routes.errors import error_response
from backend.routes.json_bodies import GREATEST_JSON_BODY
from backend.routes.security_headers import security_headers
from backend.settings import Settings

# Not Waitress's own words, which quote what was sent.
_REFUSALS = {
    400: ("bad_request", "the request is not well-formed HTTP: send one that is"),
    401: ("token_invalid", "records are taken in with a token: log in at /login and send it"),
    413: ("too_large", "the body is too large: send less at once"),
    431: ("request_header_fields_too_large", "the headers are too large: send less of them"),
    501: ("not_implemented", "the transfer encoding is not known: send the body as it is, or chunked"),
}

_CONNECTIONS = 1_000
_OTHER_FILES = 200


class _Unauthorized(Error):
    code = 401
    reason = "Unauthorized"


class ApiRequestParser(HTTPRequestParser):
    """One request as it comes in. Its body may be large when it is an upload of somebody with a token.

    Args:
        adjustments: Waitress's.
        app: whose tokens they are.
    """

    path: str

    def __init__(self, adjustments: Adjustments, app: Flask) -> None:
        super().__init__(adjustments)
        self._app = app
        self._is_upload = False

    def received(self, data: bytes) -> int:
        """Take more of the request in; how many bytes were."""
        consumed = super().received(data)
        if self._is_upload and isinstance(self.error, RequestEntityTooLarge) and not self._is_known():
            self.error = _Unauthorized("")
        if self.error is not None:
            # Or Waitress asks for the body of what it refuses, and waits for it.
            self.expect_continue = False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Decide how large the body may be, before any of it is read."""
        super().parse_header(header_plus)
        self._is_upload = self.path in (UPLOAD_PATH, CONSOLE_UPLOAD_PATH)
        if not (self._is_upload and self._is_known()):
            self.adj = copy(self.adj)
            # Waitress takes fewer bytes than this.
            self.adj.max_request_body_size = GREATEST_JSON_BODY + 1

    def _is_known(self) -> bool:
        if self.path == CONSOLE_UPLOAD_PATH:
            return is_session(self._app, self.headers.get("COOKIE", ""))
        return is_access_token(self._app, self.headers.get("AUTHORIZATION", ""))


class ApiErrorTask(ErrorTask):
    """What is refused before it is a request, such as a body over the limit, in the API's shape."""

    channel: "ApiChannel"

    def execute(self) -> None:
        """Answer the error."""
        error = self.request.error  # type: ignore[attr-defined] # set on every request that gets here
        code, message = _REFUSALS.get(error.code, ("internal_error", error.reason))
        answer = error_response(error.code, code, message)
        answer.headers.update(self.channel.server.headers)
        if error.code == _Unauthorized.code:
            answer.headers["WWW-Authenticate"] = "Bearer"
        body = answer.get_data()
        self.status = answer.status
        self.response_headers = list(answer.headers.items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class ApiChannel(HTTPChannel):
    """One connection."""

    error_task_class = ApiErrorTask
    server: "ApiServer"

    def parser_class(self, adjustments: Adjustments) -> ApiRequestParser:  # type: ignore[override] # it is only called
        """What reads a request."""
        return ApiRequestParser(adjustments, self.server.app)

    def check_client_disconnected(self) -> bool:  # type: ignore[override] # the stubs say that it tells nothing
        """Whether the client has closed the connection. Waitress itself does not look during an answer."""
        connection = self.socket
        try:
            return connection is None or connection.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


class ApiServer(TcpWSGIServer):
    """Serves the application.

    Args:
        app: the application.
        settings: what it was made with.
        host, port: Waitress's.
        threads: for calls; each event stream that there may be has one more.
    """

    channel_class = ApiChannel

    def __init__(self, app: Flask, settings: Settings, *, host: str, port: int, threads: int) -> None:
        super().__init__(
            app,
            host=host,
            port=port,
            threads=threads + settings.event_streams,
            connection_limit=_greatest_connections(settings),
            # Or a connection whose number is past 1,023 would end the server.
            asyncore_use_poll=True,
            ident=None,
            max_request_body_size=settings.max_upload_bytes + MULTIPART_OVERHEAD_BYTES,
            # What the trusted proxies say is needed; from anybody else it is not looked at.
            clear_untrusted_proxy_headers=settings.trusted_proxy_count == 0,
        )
        self.app = app
        self.headers = security_headers(local=settings.local)


def _greatest_connections(settings: Settings) -> int:
    """As many as are wanted, if so many may be open: accepting one more than that would only fail."""
    wanted = _CONNECTIONS + settings.event_streams
    return min(wanted, allow_open_files(wanted + _OTHER_FILES) - _OTHER_FILES)
