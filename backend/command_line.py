"""`python -m backend COMMAND`: one module of `backend.commands` for each command.

A command's module is imported when it is called, so that `clean` waits for no web server and `serve`
for no pandas. It has `add_arguments(parser)`, and `run(arguments, parser)`, which gives the exit status.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

_COMMANDS = {
    "serve": "run the HTTP API",
    "clean": "clean local files without the service",
    "migrate": "bring the databases to the schema of this version",
    "sql": "ask the local warehouse",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; the exit status. Bad usage exits with 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="python -m backend", description="The Universal AI Data Orchestrator."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[:1].upper()}{summary[1:]}.")
        if name in words[:1]:
            import_module(f"backend.commands.{name}").add_arguments(command)
            command.set_defaults(own_parser=command)
    options = parser.parse_args(words)
    status: int = import_module(f"backend.commands.{options.command}").run(options, options.own_parser)
    return status
