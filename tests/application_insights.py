"""Application Insights' endpoint for tests: it takes what exporters send, and keeps it."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class ApplicationInsights:
    """What was sent.

    Attributes:
        taken: every envelope, in the order in which they came.
    """

    port: int
    taken: list[dict[str, Any]] = field(default_factory=list)

    @property
    def connection_string(self) -> str:
        key = "InstrumentationKey=00000000-0000-0000-0000-000000000001"
        return f"{key};IngestionEndpoint=http://127.0.0.1:{self.port}/"

    @property
    def settings(self) -> dict[str, str]:
        """Settings of a process that is to send its traces here, and nothing anywhere else."""
        # What the exporter tells Microsoft of itself, and asks it.
        of_itself = ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED")
        return {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": self.connection_string,
            **{f"APPLICATIONINSIGHTS_{name}": "true" for name in of_itself},
        }

    def names(self, trace_id: str) -> set[tuple[str, str]]:
        """The spans of a trace: each one's process and name."""
        return {
            (each["tags"]["ai.cloud.role"], each["data"]["baseData"]["name"])
            for each in list(self.taken)
            if each["tags"].get("ai.operation.id") == trace_id and "name" in each["data"]["baseData"]
        }


@contextmanager
def running_application_insights() -> Iterator[ApplicationInsights]:
    """Listen on a free port."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            envelopes = json.loads(body)
            insights.taken.extend(envelopes)
            answer = {"itemsReceived": len(envelopes), "itemsAccepted": len(envelopes), "errors": []}
            content = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    insights = ApplicationInsights(server.server_port)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield insights
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
