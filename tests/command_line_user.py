"""Somebody at a shell, who calls `python -m backend` and has a home of their own."""

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

from tests.documented_commands import ROOT

SECONDS = 90


class CommandLineUser:
    """Calls commands in a folder of their own.

    Args:
        folder: holds their files, and their configuration in `config`.
        url: of the service.
    """

    def __init__(self, folder: Path, url: str, **environment: str) -> None:
        self.folder = folder
        self.url = url
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
        self.environment = {
            **kept,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "ORCHESTRATOR_URL": url,
            **environment,
        }

    def run(self, *words: str | Path, stdin: bytes = b"") -> "subprocess.CompletedProcess[str]":
        """Call one command, away from any terminal."""
        done = subprocess.run(
            command(words),
            input=stdin,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def log_in(self, username: str, password: str) -> None:
        done = self.run("login", "--username", username, "--password-stdin", stdin=password.encode())
        assert (done.returncode, done.stderr) == (0, "")

    def at_a_terminal(
        self, *words: str | Path, answers: Sequence[str] = (), columns: int = 100
    ) -> tuple[int, str]:
        """Call one command at a terminal, and answer its questions; the exit status, and what is shown."""
        controller, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (40, columns))
        process = subprocess.Popen(
            [sys.executable, "-c", _AT_ITS_TERMINAL, *command(words)],
            cwd=self.folder,
            env={**self.environment, "TERM": "xterm"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        try:
            shown = _converse(controller, answers)
            return process.wait(SECONDS), shown
        finally:
            process.kill()
            process.wait()
            os.close(controller)


# The process gets its own terminal, in place of the one that the tests may have.
_AT_ITS_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def command(words: Sequence[str | Path]) -> list[str]:
    """What the words call."""
    return [sys.executable, "-m", "backend", *map(str, words)]


def _converse(controller: int, answers: Sequence[str]) -> str:
    left, shown, unanswered = list(answers), "", ""
    while True:
        try:
            piece = os.read(controller, 1 << 16).decode(errors="replace")
        except OSError:
            # What Linux says when the other side is gone.
            return shown
        if not piece:
            return shown
        shown += piece
        unanswered += piece
        if left and unanswered.endswith(": "):
            os.write(controller, f"{left.pop(0)}\n".encode())
            unanswered = ""
