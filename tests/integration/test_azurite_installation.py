"""Installing Azurite, and what is said when that is not possible."""

from pathlib import Path

import pytest

from backend.local import azurite


def test_an_installed_azurite_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    azurite.install()
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")

    azurite.install()

    assert azurite.is_installed()


def test_a_registry_out_of_reach_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))

    with pytest.raises(azurite.AzuriteNotInstalled) as caught:
        azurite.install(tmp_path / "tools")

    assert str(caught.value) == "Azurite can't be installed: the npm registry can't be reached"
    assert not azurite.is_installed(tmp_path / "tools")


def test_a_folder_that_can_not_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "tools").write_text("a file where the folder would be")

    with pytest.raises(
        azurite.AzuriteNotInstalled, match=r"Azurite can't be installed in .*/tools: File exists"
    ):
        azurite.install(tmp_path / "tools")
