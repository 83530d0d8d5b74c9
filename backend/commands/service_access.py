"""What the commands that call the service have in common: where it is, and who calls."""

import argparse
from urllib.parse import quote

from backend.client.access_tokens import Tokens
from backend.client.api_client import ApiClient
from backend.client.saved_login import SavedLogins
from backend.client.service_url import DEFAULT_URL, normalized_url
from backend.command_line import CommandFailed
from backend.commands.printing import add_json_argument
from backend.settings import service_token, service_url


def add_service_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--url` and `--json`."""
    parser.add_argument("--url", help=f"where the service is (default: $ORCHESTRATOR_URL or {DEFAULT_URL})")
    add_json_argument(parser)


def add_job_argument(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Declare the id of a job, as a piece of an address."""
    parser.add_argument("job", metavar="JOB", type=path_segment, help=meaning)


def path_segment(text: str) -> str:
    """What a caller names, as it stands in an address."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return quote(text, safe="")


def called_url(arguments: argparse.Namespace) -> str:
    """The service that the arguments or the environment name.

    Raises:
        ServiceError: it is no address.
    """
    return normalized_url(arguments.url or service_url() or DEFAULT_URL)


def connect(arguments: argparse.Namespace) -> ApiClient:
    """The service, as whoever is logged in or `ORCHESTRATOR_TOKEN` says calls it.

    Raises:
        CommandFailed: nobody does.
        ServiceError: the address is none, or the log-in can't be read.
    """
    url = called_url(arguments)
    token = service_token()
    if token is not None:
        return ApiClient(url, Tokens.of(token))
    login = SavedLogins.of_environment().find(url)
    if login is None:
        raise CommandFailed(
            "not_logged_in", f"nobody is logged in at {url}: use the command login, or set ORCHESTRATOR_TOKEN"
        )
    return ApiClient(url, Tokens(refresh=login.refresh_token))
