"""Guesses of passwords, against several processes of the API that share a database."""

import os
import re
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from backend.adapters.schema_migration import migrate
from tests.faults.attacked_api import Answer, AttackedApi, Tally

PROCESSES = 3
ADDRESS_LIMIT = 20
USERNAME_LIMIT = 10
_ROOT = Path(__file__).resolve().parents[2]
# Port 1 is reserved, and nobody's: logging in needs no storage.
_SILENT_STORAGE = "AccountName=a;AccountKey=YQ==;" + "".join(
    f"{service}Endpoint=http://127.0.0.1:1/a;" for service in ("Blob", "Queue", "Table")
)


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[list[str]]:
    """The addresses of processes behind one proxy, over one database."""
    database = f"sqlite:///{folder / 'accounts.sqlite'}"
    migrate(database)
    environment = {
        "PATH": os.environ["PATH"],
        "ORCHESTRATOR_MODE": "local",
        "AZURE_STORAGE_CONNECTION_STRING": _SILENT_STORAGE,
        "DATABASE_URL": database,
        "JWT_SECRET_KEY": secrets.token_hex(32),
        "CREDENTIAL_RATE_LIMIT": f"{ADDRESS_LIMIT} per hour",
        "FAILED_LOGIN_LIMIT": f"{USERNAME_LIMIT} per hour",
        "TRUSTED_PROXY_COUNT": "1",
        **settings,
    }
    with ExitStack() as running:
        started = [running.enter_context(_process(environment)) for _ in range(PROCESSES)]
        yield [_address(process) for process in started]


@contextmanager
def _process(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "backend", "serve", "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    match = re.fullmatch(r"Serving on (http://\S+)\n", process.stdout.readline())
    assert match is not None
    return match[1]


def log_in(url: str, username: str, password: str, address: str) -> Answer:
    """One login, as a proxy passes it on for a caller at `address`."""
    api = AttackedApi(url)
    try:
        body = {"username": username, "password": password}
        return api.call("POST", "/login", body=body, headers={"X-Forwarded-For": address})
    finally:
        api.close()


def guess_from_one_address(urls: list[str], guesses: int) -> Tally:
    """Guess the passwords of many users from one address, at every process at once."""
    tally = Tally(f"passwords guessed from one address, at {len(urls)} processes of the API at once")
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(
            lambda number: log_in(urls[number % len(urls)], f"user-{number}", "guess", "203.0.113.9"),
            range(guesses),
        )
    return _judged(tally, list(answers), ADDRESS_LIMIT)


def guess_one_password(urls: list[str], guesses: int) -> Tally:
    """Guess one user's password, each time from another address."""
    tally = Tally(f"one user's password guessed from many addresses, at {len(urls)} processes of the API")
    answers = [
        log_in(urls[number % len(urls)], "victim", "guess", f"203.0.{number >> 8}.{number & 255}")
        for number in range(guesses)
    ]
    return _judged(tally, answers, USERNAME_LIMIT)


def _judged(tally: Tally, answers: list[Answer], limit: int) -> Tally:
    """Of the guesses no more than the limit may have been looked at, and no fewer."""
    statuses = Counter(answer.status for answer in answers)
    for answer in answers:
        refused = answer.status == 429 and int(answer.headers["retry-after"]) > 0
        tally.judge("login", answer, right=answer.status == 401 or refused)
    if statuses[401] != limit:
        tally.wrong.append(f"{statuses[401]} guesses were looked at, and {limit} may be")
    return tally
