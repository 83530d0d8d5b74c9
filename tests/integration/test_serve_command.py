"""`python -m backend serve` as a process of its own."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import jwt
import pytest
import requests

from backend.adapters.schema_migration import migrate
from backend.local.addresses import ACCOUNT_KEY, ACCOUNT_NAME

ROOT = Path(__file__).resolve().parents[2]
# Port 1 is reserved, and nobody's.
SILENT_STORAGE = "AccountName=a;AccountKey=YQ==;" + "".join(
    f"{service}Endpoint=http://127.0.0.1:1/a;" for service in ("Blob", "Queue", "Table")
)
HEAVY = ("pandas", "pyarrow", "mimesis", "numpy", "pyspark", "sqlalchemy", "ijson")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    # Nothing listens there: serving, and all that these tests ask for, needs no storage.
    return {
        "PATH": os.environ["PATH"],
        "PYTHONUNBUFFERED": "1",
        "AZURE_STORAGE_CONNECTION_STRING": SILENT_STORAGE,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'accounts.sqlite'}",
        "JWT_SECRET_KEY": secrets.token_hex(32),
        "MAX_UPLOAD_BYTES": "1000000",
    }


def serve(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "backend", "serve", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refused(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """The exit status and the words of a `serve` that does not start."""
    with serve(environment, *arguments) as process:
        try:
            _, words = process.communicate(timeout=30)
        finally:
            process.kill()
    return process.returncode, words


@pytest.fixture
def served(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with serve(environment, "--port", "0") as process:
        try:
            assert process.stdout is not None
            match = re.fullmatch(r"Serving on (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
            assert match is not None
            yield process, match[1]
        finally:
            process.kill()


def test_a_service_without_settings_says_in_one_line_what_to_set(environment: dict[str, str]) -> None:
    for name in ("AZURE_STORAGE_CONNECTION_STRING", "DATABASE_URL", "JWT_SECRET_KEY"):
        incomplete = {key: value for key, value in environment.items() if key != name}
        status, words = refused(incomplete, "--port", "0")
        assert (status, len(words.splitlines())) == (1, 1)
        assert words.startswith("serve: set ")
        assert name in words


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_SECRET_KEY", "short"),
        ("JWT_SECRET_KEY", "G7kQ2vX9mB4tR8wZ1cY6nL3pD5sF0hJ"),
        ("JWT_SECRET_KEY", "0" * 64),
        ("JWT_SECRET_KEY", "0123456" * 8),
        ("JWT_SECRET_KEY", "change-me-to-something-of-your-own-soon"),
        ("JWT_SECRET_KEY", "your-secret-key-of-at-least-32-bytes"),
        ("JWT_SECRET_KEY", "0123456789abcdef" * 2),
        ("JWT_SECRET_KEY", "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("JWT_SECRET_KEY", "my-jwt-secret-for-the-orchestrator"),
        ("METRICS_TOKEN", "example-token-of-more-than-32-bytes!"),
        ("AZURE_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage=true"),
        ("AZURE_STORAGE_CONNECTION_STRING", f"AccountName={ACCOUNT_NAME};AccountKey={ACCOUNT_KEY}"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("CORS_ORIGINS", "*"),
        ("FAILED_LOGIN_LIMIT", "seldom"),
        ("CREDENTIAL_RATE_LIMIT", "often"),
        ("MAX_RECORD_COUNT", "many"),
    ],
)
def test_a_setting_that_can_not_be_is_named_in_one_line(
    environment: dict[str, str], name: str, value: str
) -> None:
    status, words = refused(environment | {name: value}, "--port", "0")
    assert (status, len(words.splitlines())) == (1, 1)
    assert words.startswith(f"serve: {name}")


def test_a_port_in_use_is_told_in_one_line(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refused(environment, "--port", str(port)) == (
            1,
            f"serve: can't listen on 127.0.0.1:{port}: Address already in use\n",
        )


@pytest.mark.parametrize("arguments", [("--port", "70000"), ("--port", "x"), ("--threads", "0"), ("more",)])
def test_bad_usage_exits_with_2(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    assert refused(environment, *arguments)[0] == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_with_status_0(
    served: tuple[subprocess.Popen[str], str], number: signal.Signals
) -> None:
    process, url = served
    assert requests.get(f"{url}/healthz", timeout=10).json() == {"success": True, "status": "alive"}
    process.send_signal(number)
    assert process.wait(timeout=20) == 0
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()


def test_a_body_over_the_limit_is_refused_in_the_apis_shape_before_it_is_read(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    _, url = served
    host, port = url.removeprefix("http://").split(":")
    head = f"POST /clean_data HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2000000000\r\n\r\n"
    status, body = exchange(int(port), head.encode())
    assert status.startswith("HTTP/1.1 413 ")
    assert '"success":false,"error":"too_large"' in body


def test_what_is_not_http_is_refused_in_the_apis_shape(served: tuple[subprocess.Popen[str], str]) -> None:
    _, url = served
    status, body = exchange(int(url.rpartition(":")[2]), b"\x00nonsense\r\n\r\n")
    assert " 400 " in status
    assert '"success":false,"error":"bad_request"' in body


@pytest.mark.parametrize(
    ("head", "status", "message"),
    [
        ("GET / nonsense", 400, "The request is not well-formed HTTP: send one that is."),
        (
            f"GET / HTTP/1.1\r\nX: {'x' * (262_144 - 23)}",
            431,
            "The headers are too large: send less of them.",
        ),
        ("GET / HTTP/1.1\r\nContent-Length: 2000000000", 413, "The body is too large: send less at once."),
        (
            "GET / HTTP/1.1\r\nTransfer-Encoding: br",
            501,
            "The transfer encoding is not known: send the body as it is, or chunked.",
        ),
    ],
)
def test_what_is_refused_before_it_is_a_request_says_what_to_do(
    served: tuple[subprocess.Popen[str], str], head: str, status: int, message: str
) -> None:
    _, url = served
    first_line, body = exchange(int(url.rpartition(":")[2]), f"{head}\r\n\r\n".encode())
    assert f" {status} " in first_line
    assert f'"message":"{message}"' in body


def test_what_is_a_default_elsewhere_serves_a_stack_on_one_machine(environment: dict[str, str]) -> None:
    account = f"AccountName={ACCOUNT_NAME};AccountKey={ACCOUNT_KEY};{SILENT_STORAGE.partition('YQ==;')[2]}"
    own = {"ORCHESTRATOR_MODE": "local", "AZURE_STORAGE_CONNECTION_STRING": account}
    with serve(environment | own, "--port", "0") as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Serving on ")
        finally:
            process.kill()


@pytest.mark.parametrize("limit", ["ulimit -S -n 300", "ulimit -n 300"])
def test_idle_connections_leave_room_for_the_files_that_answers_need(
    environment: dict[str, str], tmp_path: Path, limit: str
) -> None:
    command = ["/bin/sh", "-c", f"{limit}; exec {sys.executable} -m backend serve --port 0"]
    with ExitStack() as running:
        log = running.enter_context((tmp_path / "log").open("w+"))
        process = running.enter_context(
            subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        )
        running.callback(process.kill)
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        session = running.enter_context(requests.Session())
        assert session.get(f"{url}/healthz", timeout=10).status_code == 200
        for _ in range(320):
            address = ("127.0.0.1", int(url.rpartition(":")[2]))
            running.enter_context(socket.create_connection(address))
        # The server accepts at most one of them before each that it answers.
        for _ in range(320):
            assert session.get(f"{url}/docs/start.js", timeout=10).status_code == 200
        log.seek(0)
        assert "Too many open files" not in log.read()


def token(environment: dict[str, str], **changes: object) -> str:
    now = int(time.time())
    claims = {"sub": "a" * 32, "type": "access", "jti": "1", "iat": now, "nbf": now, "exp": now + 60}
    return jwt.encode({**claims, **changes}, environment["JWT_SECRET_KEY"], "HS256")


def announced(path: str, content_length: int, authorization: str = "") -> bytes:
    """The head of a request whose body does not come."""
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {content_length}\r\n"
    return f"{head}Authorization: {authorization}\r\nExpect: 100-continue\r\n\r\n".encode()


def test_a_large_body_without_a_good_token_is_refused_before_it_is_sent(
    environment: dict[str, str], served: tuple[subprocess.Popen[str], str]
) -> None:
    port = int(served[1].rpartition(":")[2])
    refresh, expired = token(environment, type="refresh"), token(environment, exp=1_700_000_000)
    tokens = ("", "Bearer", "Bearer a.b.c", "Basic YTpi", f"Bearer {refresh}", f"Bearer {expired}")
    for authorization in tokens:
        status, body = exchange(port, announced("/upload_raw", 1_060_000, authorization))
        assert status == "HTTP/1.1 401 UNAUTHORIZED"
        assert '"error":"token_invalid"' in body


def test_only_an_upload_may_have_a_large_body(
    environment: dict[str, str], served: tuple[subprocess.Popen[str], str]
) -> None:
    port, authorization = int(served[1].rpartition(":")[2]), f"Bearer {token(environment)}"
    for path in ("/clean_data", "/login", "/upload_raw/", "/nothing", "/healthz"):
        status, body = exchange(port, announced(path, 1_060_000, authorization))
        assert status == "HTTP/1.1 413 REQUEST ENTITY TOO LARGE"
        assert '"error":"too_large"' in body


def test_a_body_in_pieces_without_a_good_token_is_refused_at_the_size_of_json(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    port = int(served[1].rpartition(":")[2])
    head = b"POST /upload_raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head)
        with suppress(ConnectionError):
            for _ in range(20):
                connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_an_upload_with_a_token_is_taken_in_up_to_its_own_limit(
    environment: dict[str, str], served: tuple[subprocess.Popen[str], str]
) -> None:
    port, authorization = int(served[1].rpartition(":")[2]), f"Bearer {token(environment)}"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(announced("/upload_raw", 1_060_000, authorization))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    status, _ = exchange(port, announced("/upload_raw", 1_070_000, authorization))
    assert status == "HTTP/1.1 413 REQUEST ENTITY TOO LARGE"


def test_what_is_refused_before_it_is_a_request_has_the_security_headers(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    with socket.create_connection(("127.0.0.1", int(served[1].rpartition(":")[2])), timeout=20) as connection:
        connection.sendall(b"GET / nonsense\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    for header in ("X-Content-Type-Options: nosniff", "Strict-Transport-Security: max-age=31536000"):
        assert header in answer


def exchange(port: int, request: bytes) -> tuple[str, str]:
    """Send bytes; the answer's first line and its body."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    return head.splitlines()[0], body


def test_storage_that_does_not_answer_makes_the_service_not_ready(
    environment: dict[str, str], served: tuple[subprocess.Popen[str], str]
) -> None:
    _, url = served
    migrate(environment["DATABASE_URL"])
    answer = requests.get(f"{url}/readyz", timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (503, "not_ready")
    assert "database" not in answer.json()["message"]
    assert environment["DATABASE_URL"].endswith("accounts.sqlite")


def test_starting_the_api_imports_nothing_heavy(environment: dict[str, str]) -> None:
    program = f"""
import sys
import time
import backend.app
from backend.bootstrap import build_services
from backend.settings import Settings
settings = Settings.from_environment()
app = backend.app.create_app(settings, build_services(settings))
assert app.test_client().get("/openapi.json").status_code == 200
loaded = sorted(set({HEAVY!r}) & set(sys.modules))
assert not loaded, loaded
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_clean_command_imports_no_web_server(environment: dict[str, str]) -> None:
    program = """
import sys
import time
from backend.command_line import main
try:
    main(["clean", "--help"])
except SystemExit as end:
    assert end.code == 0
loaded = sorted({"flask", "waitress", "sqlalchemy", "azure"} & set(sys.modules))
assert not loaded, loaded
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_is_listed() -> None:
    command = [sys.executable, "-m", "backend", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "serve" in done.stdout
    assert "clean" in done.stdout
