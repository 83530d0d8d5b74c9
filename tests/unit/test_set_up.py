import os
from pathlib import Path

import pytest

from scripts import environment

ROOT = Path(__file__).resolve().parents[2]


class Packages:
    """Stands in for venv and pip: what was installed, and with which Python the environment was made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.installed: list[str] = []
        self.python_here = "3.11"
        self._python_there = ""
        monkeypatch.setattr(environment, "_version_here", lambda: self.python_here)
        monkeypatch.setattr(environment, "_version", lambda _: self._python_there)
        monkeypatch.setattr(environment, "_create_environment", self._create)
        monkeypatch.setattr(environment, "_pip_install", self._install)

    def _create(self, *_: object) -> None:
        self._python_there = self.python_here

    def _install(self, _: Path, requirements: Path, *__: object) -> None:
        self.installed.append(requirements.name)


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Packages:
    return Packages(monkeypatch)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> environment.Installation:
    """What the tests need in the virtual environment of a checkout."""
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("a==1\n")
    return environment.installations("tests")[0]


def test_what_is_installed_is_left_as_it_is(
    packages: Packages, installation: environment.Installation
) -> None:
    installation.make(0)
    installation.make(0)
    assert packages.installed == ["requirements.txt", "requirements-dev.txt"]


def test_only_what_changed_is_installed_again(
    packages: Packages, installation: environment.Installation, tmp_path: Path
) -> None:
    installation.make(0)
    packages.installed.clear()
    (tmp_path / "requirements-dev.txt").write_text("a==2\n")
    installation.make(0)
    assert packages.installed == ["requirements-dev.txt"]


def test_an_environment_that_is_made_anew_for_another_python_gets_every_package(
    packages: Packages, installation: environment.Installation, tmp_path: Path
) -> None:
    installation.make(0)
    packages.installed.clear()
    packages.python_here = "3.12"
    (tmp_path / "requirements-dev.txt").write_text("a==2\n")
    installation.make(0)
    assert packages.installed == ["requirements.txt", "requirements-dev.txt"]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder with programs of a machine without MariaDB and Chromium, where we are root."""
    monkeypatch.setattr(environment, "LOG", tmp_path / "set-up.log")
    monkeypatch.setattr(environment, "_SYSTEM_FOLDERS", str(tmp_path / "sbin"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def program(file: Path, script: str = "") -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_what_is_there_is_taken(machine: Path) -> None:
    program(machine.parent / "sbin" / "mariadbd")
    program(machine / "chromium")
    program(machine / "mariadb-install-db")
    program(machine / "my_print_defaults")
    program(machine / "apt-get", "exit 1")
    environment.install_system_packages(0)


def test_root_gets_what_is_missing_from_the_systems_archive(machine: Path) -> None:
    program(machine / "apt-get", f'echo "$*" >>{machine.parent}/called')
    environment.install_system_packages(0)
    assert (machine.parent / "called").read_text() == (
        "-o DPkg::Lock::Timeout=120 update\n"
        "-o DPkg::Lock::Timeout=120 install -y --no-install-recommends"
        " mariadb-server-core mariadb-client-core chromium\n"
    )


def test_only_what_is_missing_is_installed(machine: Path) -> None:
    for name in ("mariadbd", "mariadb-install-db", "my_print_defaults"):
        program(machine / name)
    program(machine / "apt-get", f'echo "$*" >>{machine.parent}/called')
    environment.install_system_packages(0)
    assert (machine.parent / "called").read_text().endswith(" --no-install-recommends chromium\n")


def test_who_can_not_install_is_told_what_to_install(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(machine / "mariadb-install-db")
    program(machine / "my_print_defaults")
    program(machine / "chromium")
    program(machine / "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(environment.SetUpFailed) as caught:
        environment.install_system_packages(0)
    assert str(caught.value) == (
        "the tests need MariaDB and Chromium, and there is no mariadbd: install them;"
        " on Debian and Ubuntu: sudo apt-get install mariadb-server-core mariadb-client-core"
    )


def test_an_archive_that_can_not_be_reached_is_named(machine: Path) -> None:
    program(machine / "apt-get", "echo 'E: Failed to fetch http://archive/x' >&2; exit 100")
    with pytest.raises(environment.SetUpFailed, match=r"^apt-get update failed: the archive of Debian's"):
        environment.install_system_packages(0)


@pytest.mark.parametrize("file", sorted(ROOT.glob("requirements*.txt")), ids=lambda file: file.name)
def test_every_package_is_pinned_with_its_hashes(file: Path) -> None:
    lines = file.read_text().replace("\\\n", "").splitlines()
    packages = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert packages
    assert [line for line in packages if "==" not in line or "--hash=sha256:" not in line] == []
