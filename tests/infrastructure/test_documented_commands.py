"""Every `az` command that the documentation gives, before the real az's own parser."""

import shlex
from pathlib import Path

import pytest

from tests.documented_commands import PAGES, commands
from tests.infrastructure.recorded_set_up import complaints


def test_az_knows_every_command_and_option_of_the_documentation(tmp_path: Path) -> None:
    documented = [words for page in PAGES for words in commands(page, "az")]
    said = complaints(documented, tmp_path)

    refused = {shlex.join(words): answer for words, answer in zip(documented, said, strict=True) if answer}
    assert refused == {}
    assert len(documented) > 40


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ID=$(az group show --name "$GROUP")', [["group", "show", "--name", "$GROUP"]]),
        ("az one \\\n    --two 2 | grep x", [["one", "--two", "2"]]),
        ('az rest --body \'{"a": "b; c"}\'', [["rest", "--body", '{"a": "b; c"}']]),
        (
            'az ad app delete --id "$(az ad app list)"',
            [["ad", "app", "delete", "--id", "$"], ["ad", "app", "list"]],
        ),
        ("for a in 1 2; do\n    az login\ndone", [["login"]]),
    ],
)
def test_commands_are_found_wherever_they_stand(tmp_path: Path, text: str, expected: list[list[str]]) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Some words.\n\n```sh\n{text}\n```\n")

    assert commands(page, "az") == expected
