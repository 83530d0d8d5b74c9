"""A service that answers what a test has written down, call by call."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

BROKEN = -1
"""In place of a status: the connection breaks when the request has been read."""


@dataclass
class Call:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ScriptedService:
    """What it answers, first to last, and what it was asked."""

    url: str = ""
    answers: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        """Add an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, body, named))

    @property
    def asked(self) -> list[str]:
        """The calls, each as its method and path."""
        return [f"{call.method} {call.path}" for call in self.calls]


@contextmanager
def scripted_service() -> Iterator[ScriptedService]:
    service = ScriptedService()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            service.calls.append(Call(self.command, self.path, dict(self.headers), body))
            status, document, headers = service.answers.pop(0)
            if status == BROKEN:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            # What promises more than it brings has broken off.
            self.close_connection = int(headers.get("Content-Length", len(content))) > len(content)

        do_POST = do_GET  # noqa: N815 - http.server's name

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service.url = f"http://127.0.0.1:{server.server_port}"
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield service
        finally:
            server.shutdown()
            serving.join()
