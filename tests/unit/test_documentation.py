"""What the documentation says is there: files, links, calls of the API, commands, figures."""

import importlib
import re
import runpy
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from backend.app import create_app
from backend.command_line import main
from backend.settings import Settings
from tests.documented_commands import PAGES, ROOT, commands

if TYPE_CHECKING:
    from backend.bootstrap import Services

# [text](target), and not an image; targets hold no spaces here.
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^[ ]*```.*?^[ ]*```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
# A folder of the repository, and what is in it.
_REPOSITORY_PATH = re.compile(r"(?:\./)?((?:backend|docs|infrastructure|scripts|tests|\.ci)/[\w./-]*\w)/?")
_CALL = re.compile(r"^### `([A-Z]+) (/[^`]*)`$", re.MULTILINE)

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text())


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = _HEADING.findall(_prose(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pages
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in _LINK.findall(_prose(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)

    assert broken == []


@pages
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = [_REPOSITORY_PATH.fullmatch(code.split()[0]) for code in _CODE.findall(_prose(page))]
    missing = [path[1] for path in named if path and not (ROOT / path[1]).exists()]

    assert missing == []


@pages
def test_every_command_of_the_service_has_the_options_that_are_given(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The command itself is not run: only its own parser is asked.
    for words in commands(page, "-m", "backend"):
        module = importlib.import_module(f"backend.commands.{words[0]}")
        monkeypatch.setattr(module, "run", lambda *_: 0)
        assert main(words) == 0, shlex.join(words)


def test_the_api_page_lists_the_calls_of_the_application_and_no_others() -> None:
    environment = {
        "AZURE_STORAGE_ACCOUNT": "nobody",
        "DATABASE_URL": "sqlite://",
        "JWT_SECRET_KEY": "of-no-use-but-thirty-two-bytes-long",
    }
    # It calls no service before a request comes.
    app = create_app(Settings.from_environment(environment), cast("Services", None))
    called = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        # What the pages for people are made of.
        if not rule.rule.startswith(("/docs/", "/console/"))
    }

    documented = _CALL.findall((ROOT / "docs" / "V1.0_API.md").read_text())

    assert sorted(documented) == sorted(called)


def test_the_costs_are_those_that_their_program_prints() -> None:
    table = runpy.run_path(str(ROOT / "docs" / "costs.py"))["table"]()

    assert f"\n{table}\n" in (ROOT / "docs" / "costs.md").read_text()


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](nowhere.md), [b](#no-heading)\n")

    with pytest.raises(AssertionError, match="nowhere"):
        test_every_link_leads_somewhere(page)


def test_an_option_that_does_not_exist_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\n.venv/bin/python -m backend serve --prot 1\n```\n")
    monkeypatch.setattr(sys, "argv", ["pytest"])

    with pytest.raises(SystemExit):
        test_every_command_of_the_service_has_the_options_that_are_given(page, monkeypatch)
