"""A WSGI server on a loopback port, in threads of its own beside a program's main thread."""

import socket
import threading
from typing import TYPE_CHECKING, Any

from waitress.server import create_server
from waitress.trigger import trigger
from waitress.wasyncore import close_all

from backend.local.addresses import HOST

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_STOP_SECONDS = 1


class LoopbackServer:
    """Answers with `application` once it is started; connections are taken, and wait, before that.

    Args:
        port: 0 for any free one.
        threads: calls that are answered at a time.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int, application: "WSGIApplication", threads: int, max_body_bytes: int) -> None:
        listening = socket.create_server((HOST, port))
        self.port = int(listening.getsockname()[1])
        self._sockets: dict[Any, Any] = {}
        self._waker = trigger(self._sockets)
        self._server = create_server(
            application,
            map=self._sockets,
            sockets=[listening],
            threads=threads,
            ident=None,
            max_request_body_size=max_body_bytes,
            clear_untrusted_proxy_headers=True,
        )
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more, and close every connection."""
        # In the server's own thread, which would otherwise be waiting on sockets that are gone.
        self._waker.pull_trigger(lambda: close_all(self._sockets))  # type: ignore[misc,arg-type] # wrong stub
        self._server.task_dispatcher.shutdown(timeout=_STOP_SECONDS)
        self._thread.join()
