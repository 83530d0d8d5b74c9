"""`python -m backend login`: log in, and keep the refresh token for the other commands."""

import argparse
import getpass
import sys

from backend.client.api_client import ApiClient
from backend.client.saved_login import SavedLogin, SavedLogins
from backend.command_line import CommandFailed, ExitStatus
from backend.commands.printing import print_json
from backend.commands.service_access import add_service_arguments, called_url

EXAMPLES = (
    "login --register",
    "login --username ada",
    "login --username ada --password-stdin --json < password.txt",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--username", metavar="NAME", help="asked for when not given")
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from stdin, for scripts"
    )
    parser.add_argument("--register", action="store_true", help="make the account first")
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Log in; 0. Bad usage exits with 2."""
    if arguments.password_stdin and arguments.username is None:
        parser.error("--password-stdin needs --username")
    url = called_url(arguments)
    account = {"username": arguments.username or _asked("Username: ")}
    account["password"] = _password(arguments)
    api = ApiClient(url)
    if arguments.register:
        api.post("/register", account)
    answer = api.post("/login", account)
    login = SavedLogin(account["username"], answer["refresh_token"])
    file = SavedLogins.of_environment().save(url, login)
    if arguments.json:
        print_json({"url": url, "username": login.username, "userId": answer["user_id"], "file": str(file)})
    else:
        print(f"Logged in at {url} as {login.username}, for 7 days.")
    return ExitStatus.DONE


def _password(arguments: argparse.Namespace) -> str:
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    _require_terminal()
    password = getpass.getpass("Password: ", sys.stderr)
    if arguments.register and getpass.getpass("The same again: ", sys.stderr) != password:
        raise CommandFailed("passwords_differ", "the two passwords are not the same")
    return password


def _asked(question: str) -> str:
    _require_terminal()
    # stdout is for the answer alone.
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _require_terminal() -> None:
    if not sys.stdin.isatty():
        raise CommandFailed(
            "no_terminal",
            "nobody can be asked here: give --username and --password-stdin",
            ExitStatus.BAD_USAGE,
        )
