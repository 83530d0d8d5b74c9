"""Have the real az command line parse commands, and run none of them.

Run with az's own interpreter. Reads a JSON list of commands (each a list of words after `az`) from stdin, and
writes a JSON list: for each, what az says against it, or null.
"""

import contextlib
import io
import json
import logging
import sys

from azure.cli.core import get_default_cli
from knack.events import EVENT_INVOKER_POST_PARSE_ARGS


class Parsed(BaseException):
    """The command was parsed; raised to go no further. az catches Exception."""


def complaint(words):
    """What az says against a command, or None."""
    cli = get_default_cli()
    cli.register_event(EVENT_INVOKER_POST_PARSE_ARGS, _stop)
    said = io.StringIO()
    said_by_az = logging.StreamHandler(said)
    said_by_az.setLevel(logging.ERROR)
    logging.getLogger("cli").handlers = [said_by_az]
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            status = cli.invoke(list(words), out_file=io.StringIO())
    except Parsed:
        return None
    except SystemExit as left:
        status = left.code
    return said.getvalue().strip() or f"az ended with {status} and did not parse it"


def _stop(*_, **__):
    raise Parsed


if __name__ == "__main__":
    json.dump([complaint(words) for words in json.load(sys.stdin)], sys.stdout)
