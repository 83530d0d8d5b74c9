"""A MariaDB server of the tests' own, which nobody else reaches: on loopback, in a folder of theirs."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql

from backend.local.addresses import HOST, free_addresses, listens
from backend.local.child_process import ChildProcess, Program
from scripts.environment import find_program
from tests.waiting import wait_until

_USER = "tests"
_PASSWORD = "tests"  # noqa: S105 - of a server that lives as long as its test
_SECONDS = 60


class MariaDbServer:
    """One server; it can be stopped and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "log"
        self.port = free_addresses().api
        self._process: ChildProcess | None = None
        # By Debian as root; a server refuses to run as root unless it is told to.
        self._as_root = ["--user=root"] if os.geteuid() == 0 else []

    def install(self) -> None:
        """Make the system tables, and the one user of the tests."""
        subprocess.run(
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                f"--datadir={self._folder / 'data'}",
                *self._as_root,
            ],
            check=True,
            capture_output=True,
        )
        first = self._folder / "first.sql"
        first.write_text(
            f"CREATE USER '{_USER}'@'%' IDENTIFIED BY '{_PASSWORD}';\n"
            f"GRANT ALL ON *.* TO '{_USER}'@'%' WITH GRANT OPTION;\n"
        )
        self.start(f"--init-file={first}")

    def start(self, *options: str) -> None:
        """Start, and wait until it answers."""
        command = [
            _program("mariadbd"),
            "--no-defaults",
            f"--datadir={self._folder / 'data'}",
            # In the data's folder. A whole path may be longer than a socket's can be.
            "--socket=socket",
            f"--bind-address={HOST}",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--local-infile=1",
            "--innodb-flush-log-at-trx-commit=1",
            *self._as_root,
            *options,
        ]
        self._process = ChildProcess(Program("MariaDB", tuple(command), os.environ, self._log))
        wait_until(self._answers, _SECONDS)

    def stop(self) -> None:
        """Stop it in good order."""
        if self._process is not None:
            self._process.ask_to_stop()
            self._process.wait(_SECONDS)
            self.kill()

    def kill(self) -> None:
        """End it as a failing machine does."""
        if self._process is not None:
            self._process.kill_group()
            self._process = None

    def create_database(self, name: str) -> str:
        """Make an empty database; its URL."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        return f"mysql+pymysql://{_USER}:{_PASSWORD}@{HOST}:{self.port}/{name}"

    def connect(
        self, database: str | None = None, user: str = _USER, password: str = _PASSWORD, **options: Any
    ) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """A connection past the service's own code."""
        return pymysql.connect(
            host=HOST,
            port=self.port,
            user=user,
            password=password,
            database=database,
            autocommit=True,
            **options,
        )

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.ended() is None, self._log.read_text()
        if not listens(self.port):
            return False
        try:
            self.connect().close()
        except pymysql.OperationalError:
            return False
        return True


@contextmanager
def running_mariadb(folder: Path) -> Iterator[MariaDbServer]:
    """A server in an empty folder, stopped at the end."""
    server = MariaDbServer(folder)
    try:
        server.install()
        yield server
    finally:
        server.stop()


def _program(name: str) -> str:
    path = find_program(name)
    assert path is not None, f"{name} is not installed: ./scripts/test installs it, or says what to install"
    return path
