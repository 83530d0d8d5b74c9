"""`python -m backend logout`: forget a log-in."""

import argparse

from backend.client.saved_login import SavedLogins
from backend.command_line import ExitStatus
from backend.commands.printing import print_json
from backend.commands.service_access import add_service_arguments, called_url

EXAMPLES = ("logout", "logout --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Remove the refresh token from this machine; 0, also when there was none."""
    url = called_url(arguments)
    removed = SavedLogins.of_environment().remove(url)
    if arguments.json:
        print_json({"url": url, "removed": removed})
    else:
        print(f"Logged out at {url}." if removed else f"Nobody was logged in at {url}.")
    return ExitStatus.DONE
