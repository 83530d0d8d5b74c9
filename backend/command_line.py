"""`python -m backend COMMAND`: one module of `backend.commands` for each command.

A command's module is imported when it is called, so that `clean` waits for no web server and `serve`
for no pandas. It has `EXAMPLES`, command lines that its help shows; `add_arguments(parser)`; and
`run(arguments, parser)`, which prints the answer and gives the exit status, or raises what went wrong.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from enum import IntEnum
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NoReturn

from backend.client.errors import ServiceError
from backend.domain.errors import OrchestratorError

_PROGRAM = "python -m backend"
_COMMANDS = {
    "login": "log in at the service, and stay so for 7 days",
    "logout": "forget the log-in",
    "submit": "send records to be cleaned",
    "status": "say how far a job is",
    "jobs": "list your jobs",
    "tables": "list, show or download the tables of a job",
    "quality": "say how good a job's records were",
    "retry": "put a failed job back on its queue",
    "clean": "clean local files without the service",
    "sql": "ask the local warehouse",
    "serve": "run the HTTP API",
    "migrate": "bring the databases to the schema of this version",
}
_EXAMPLES = ("login --register", "submit --sample 1000 --watch", "COMMAND --help")


class ExitStatus(IntEnum):
    """What the exit status says."""

    DONE = 0
    FAILED = 1
    BAD_USAGE = 2
    JOB_FAILED = 3
    TIMED_OUT = 4
    INTERRUPTED = 130


_EXIT_STATUSES = {
    ExitStatus.DONE: "done; with --watch: the job is completed",
    ExitStatus.FAILED: "it could not be done, and stderr says why",
    ExitStatus.BAD_USAGE: "bad usage",
    ExitStatus.JOB_FAILED: "the job has failed",
    ExitStatus.TIMED_OUT: "the job goes on after --timeout",
    ExitStatus.INTERRUPTED: "interrupted, as by Ctrl-C",
}


class CommandFailed(OrchestratorError):
    """A command can't do what it is asked; `code` is for programs, as the API's are."""

    def __init__(self, code: str, message: str, status: ExitStatus = ExitStatus.FAILED) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class _Parser(argparse.ArgumentParser):
    """Tells of bad usage in JSON where that is asked for."""

    def __init__(self, *, as_json: bool, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)
        self._as_json = as_json

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit."""
        if not self._as_json:
            super().error(message)
        tell_error("usage", "usage", message, as_json=True)
        sys.exit(ExitStatus.BAD_USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; the exit status. Bad usage exits with 2."""
    if isinstance(sys.stdout, TextIOWrapper):
        # What the terminal's encoding lacks is written out, and stops nothing.
        sys.stdout.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    try:
        try:
            status = _run(words, as_json=as_json)
        finally:
            # Here, where a reader that is gone can still be told from a failure.
            sys.stdout.flush()
    except CommandFailed as error:
        tell_error(words[0], error.code, str(error), as_json=as_json)
        return error.status
    except ServiceError as error:
        tell_error(words[0], error.code, str(error), as_json=as_json)
        return ExitStatus.FAILED
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. What is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.DONE
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    return status


def tell_error(command: str, code: str, message: str, *, as_json: bool) -> None:
    """One line on stderr."""
    line = json.dumps({"error": code, "message": message}) if as_json else f"{command}: {message}"
    sys.stderr.write(f"{line}\n")


def _run(words: Sequence[str], *, as_json: bool) -> int:
    parser = _Parser(
        as_json=as_json,
        prog=_PROGRAM,
        description="The Universal AI Data Orchestrator.",
        epilog=_epilog(_EXAMPLES),
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in _COMMANDS.items():
        description = f"{summary[:1].upper()}{summary[1:]}."
        command = commands.add_parser(name, as_json=as_json, help=summary, description=description)
        if name in words[:1]:
            module = import_module(f"backend.commands.{name}")
            command.epilog = _epilog(module.EXAMPLES)
            module.add_arguments(command)
            command.set_defaults(own_parser=command)
    options = parser.parse_args(words)
    status: int = import_module(f"backend.commands.{options.command}").run(options, options.own_parser)
    return status


def _epilog(examples: Sequence[str]) -> str:
    lines = [f"  {_PROGRAM} {example}" for example in examples]
    statuses = [f"  {status.value:<4} {meaning}" for status, meaning in _EXIT_STATUSES.items()]
    return "\n".join(["examples:", *lines, "", "exit status:", *statuses])
