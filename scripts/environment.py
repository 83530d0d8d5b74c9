"""Set up what the product and its tests run in: virtual environments, and for the tests MariaDB and Chromium.

Run by `scripts/start` and `scripts/test` with any Python 3.11 or newer, before anything is installed: the
standard library only. What is already there, judged by the hash of its requirements, is left as it is.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
LOG = TOOLS / "set-up.log"

# What the tests start of the system's, and the packages of Debian that have it.
_SYSTEM_PACKAGES = {
    # The second program runs the third, which is of the clients' package.
    ("mariadbd", "mariadb-install-db", "my_print_defaults"): ("mariadb-server-core", "mariadb-client-core"),
    ("chromium",): ("chromium",),
}
# Where servers are, and which a user's PATH may lack.
_SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin"

# What pip's and apt's own words mean, in one line each. The first that occurs in the log is said.
_CAUSES = (
    (r"No space left on device", "the disk is full"),
    (r"Disk quota exceeded", "the disk quota is used up"),
    (r"Permission denied", "a folder can't be written"),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|ProtocolError",
        "the package index can't be reached",
    ),
    (r"SSLError|CERTIFICATE_VERIFY_FAILED", "the package index's certificate can't be verified"),
    (r"Failed to fetch|Temporary failure resolving", "the archive of Debian's packages can't be reached"),
    (r"Unable to locate package", "this system has no package of that name"),
)


class SetUpFailed(Exception):
    """The set-up can't go on; the message is one line for a person."""


@dataclass(frozen=True)
class Installation:
    """Pinned packages in a folder.

    Attributes:
        folder: a virtual environment, or with `target` set a plain folder of packages.
        requirements: the pinned requirement files, in the order in which they are installed.
        python: the interpreter whose pip installs.
    """

    folder: Path
    requirements: tuple[Path, ...]
    python: Path
    pip_options: tuple[str, ...] = field(default=())

    @property
    def is_environment(self) -> bool:
        """Whether the folder is a virtual environment of its own."""
        return self.python.is_relative_to(self.folder)

    @property
    def _unfinished(self) -> Path:
        return self.folder / ".unfinished"

    def make(self, lock: int) -> None:
        """Install what is missing. A set-up that was broken off is begun again from nothing."""
        missing = [each for each in self.requirements if not self._is_installed(each)]
        if missing and self._has_to_begin_anew():
            shutil.rmtree(self.folder, ignore_errors=True)
            missing = list(self.requirements)
        for requirements in missing:
            self._install(requirements, lock)

    def _is_installed(self, requirements: Path) -> bool:
        return not self._unfinished.exists() and _read(self._stamp(requirements)) == self._fingerprint(
            requirements
        )

    def _has_to_begin_anew(self) -> bool:
        return self._unfinished.exists() or (self.is_environment and _version(self.python) != _version_here())

    def _install(self, requirements: Path, lock: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._unfinished.touch()
        if self.is_environment:
            _create_environment(self.folder, lock)
        _pip_install(self.python, requirements, self.pip_options, lock)
        self._stamp(requirements).write_text(self._fingerprint(requirements))
        self._unfinished.unlink()

    def _stamp(self, requirements: Path) -> Path:
        return self.folder / f".{requirements.name}.sha256"

    def _fingerprint(self, requirements: Path) -> str:
        digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
        return f"{digest} {_version(self.python)}\n"


def installations(wanted: str) -> list[Installation]:
    """What `product`, `tests` or `bench` needs."""
    environment = ROOT / ".venv"
    python = _python_of(environment)
    product = ROOT / "requirements.txt"
    if wanted == "product":
        return [Installation(environment, (product,), python)]
    # Together, since an environment that is made anew has lost the packages of both.
    tests = Installation(environment, (product, ROOT / "requirements-dev.txt"), python)
    if wanted == "bench":
        rivals = TOOLS / "bench"
        return [tests, Installation(rivals, (ROOT / "requirements-bench.txt",), _python_of(rivals))]
    az, checkov = TOOLS / "az", TOOLS / "checkov"
    return [
        tests,
        Installation(az, (ROOT / "requirements-az.txt",), _python_of(az)),
        Installation(checkov, (ROOT / "requirements-checkov.txt",), _python_of(checkov)),
        Installation(
            TOOLS / "functions-worker",
            (ROOT / "requirements-functions-worker.txt",),
            python,
            # Microsoft's worker declares Python 3.13 alone, and runs on 3.11; it is kept apart for that.
            ("--ignore-requires-python", "--no-deps", "--upgrade", f"--target={TOOLS / 'functions-worker'}"),
        ),
    ]


def find_program(name: str) -> str | None:
    """Where a program of the system is, one for administrators included."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_FOLDERS}")


def install_system_packages(lock: int) -> None:
    """Install the MariaDB and the Chromium of the tests, unless they are there: as root, with apt-get."""
    missing = [name for names in _SYSTEM_PACKAGES for name in names if find_program(name) is None]
    wanted = [
        package
        for names, packages in _SYSTEM_PACKAGES.items()
        if not set(names).isdisjoint(missing)
        for package in packages
    ]
    if not missing:
        return
    packages = " ".join(wanted)
    apt_get = find_program("apt-get")
    if os.geteuid() != 0 or apt_get is None:
        raise SetUpFailed(
            f"the tests need MariaDB and Chromium, and there is no {' or '.join(missing)}: install them;"
            f" on Debian and Ubuntu: sudo apt-get install {packages}"
        )
    with _Report(f"Installing {packages} (once)"):
        for words in (("update",), ("install", "-y", "--no-install-recommends", *wanted)):
            _apt_get(apt_get, words, lock)


def _apt_get(program: str, words: tuple[str, ...], lock: int) -> None:
    with LOG.open("ab") as log:
        ended = subprocess.run(
            [program, "-o", "DPkg::Lock::Timeout=120", *words],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            check=False,
        )
    if ended.returncode:
        raise SetUpFailed(f"apt-get {words[0]} failed{_cause()}")


def _create_environment(folder: Path, lock: int) -> None:
    with LOG.open("ab") as log:
        created = subprocess.run(
            [sys.executable, "-m", "venv", str(folder)], stdout=log, stderr=log, pass_fds=(lock,), check=False
        )
    if created.returncode:
        raise SetUpFailed(f"could not make {_shown(folder)}{_cause()}")


def _pip_install(python: Path, requirements: Path, options: tuple[str, ...], lock: int) -> None:
    total = len(re.findall(r"^[A-Za-z0-9]", requirements.read_text(), re.MULTILINE))
    what = f"{total} packages of {requirements.name}" if total > 1 else requirements.name
    report = _Report(f"Installing {what} (once)")
    command = [str(python), "-m", "pip", "install", "--require-hashes", "--no-input", "--progress-bar", "off"]
    with LOG.open("ab") as log, report:
        # pip keeps the lock for as long as it runs, so that it is not disturbed when this process is killed.
        pip = subprocess.Popen(
            [*command, *options, "-r", str(requirements)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=(lock,),
        )
        for line in pip.stdout or ():
            log.write(line)
            if line.startswith(b"Collecting "):
                report.count()
        if pip.wait():
            raise SetUpFailed(f"could not install the packages of {requirements.name}{_cause()}")


class _Report:
    """One line on stderr, counted up in place on a terminal."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._live = sys.stderr.isatty()
        self._began = time.monotonic()
        self._counted = 0

    def __enter__(self) -> Self:
        _say(f"{self._title} ...", end="" if self._live else "\n")
        return self

    def count(self) -> None:
        """Show that one more package is there to install."""
        self._counted += 1
        if self._live:
            _say(f"\r{self._title} ... {self._counted}", end="")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            line = f"{self._title}: {time.monotonic() - self._began:.0f} s"
            _say(f"\r\x1b[K{line}" if self._live else line)
        elif self._live:
            _say("")


def _cause() -> str:
    text = LOG.read_text(errors="replace")
    for pattern, cause in _CAUSES:
        if re.search(pattern, text):
            return f": {cause}; the log is {_shown(LOG)}"
    return f"; the log is {_shown(LOG)}"


def _python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def _version(python: Path) -> str:
    """The version of an interpreter, or nothing when it does not run."""
    try:
        program = "import sys; print(sys.version)"
        answer = subprocess.run([str(python), "-I", "-S", "-c", program], capture_output=True, check=False)
    except OSError:
        return ""
    return answer.stdout.decode().split(" ")[0].rpartition(".")[0]


def _version_here() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _say(text: str, end: str = "\n") -> None:
    sys.stderr.write(text + end)
    sys.stderr.flush()


@contextmanager
def _only_one() -> Iterator[int]:
    """Hold the checkout's set-up lock; the kernel lets go of it however this process ends."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "set-up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting for another set-up of this checkout ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def main() -> int:
    """Set up what the first argument names; the exit status."""
    try:
        with _only_one() as lock:
            LOG.write_bytes(b"")
            wanted = sys.argv[1]
            for installation in installations(wanted):
                installation.make(lock)
            if wanted == "tests":
                install_system_packages(lock)
    except SetUpFailed as error:
        _say(f"set-up: {error}")
        return 1
    except OSError as error:
        _say(f"set-up: {error.filename or ROOT}: {error.strerror}")
        return 1
    except KeyboardInterrupt:
        _say("\nset-up: stopped; the next start takes it up again")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
