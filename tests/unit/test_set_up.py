from pathlib import Path

import pytest

from scripts import environment


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
