"""The commands of the documentation's fenced blocks, as the shell would part them into words."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

_BLOCK = re.compile(r"^( *)```sh\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_PUNCTUATION = frozenset("();<>|&")


def script(page: Path) -> str:
    """All blocks of a page, one after another."""
    return "\n".join(block for _, block in _BLOCK.findall(page.read_text()))


def commands(page: Path, *beginning: str) -> list[list[str]]:
    """What follows the words `beginning` in each command of a page that has them."""
    found = []
    for command in _all_commands(page):
        for place in range(len(command)):
            if tuple(command[place : place + len(beginning)]) == beginning:
                found.append(command[place + len(beginning) :])
                break
    return found


def _all_commands(page: Path) -> Iterator[list[str]]:
    # Without expanding anything, `NAME=$(az ...)` parts at its parentheses, and "$(az ...)" is opened.
    text = re.sub(r'"\$\(([^")]*)\)"', r"$(\1)", script(page).replace("\\\n", " "))
    for line in _lines(text):
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        command: list[str] = []
        for word in words:
            if _PUNCTUATION.issuperset(word):
                yield command
                command = []
            else:
                command.append(word)
        yield command


def _lines(text: str) -> Iterator[str]:
    """Lines, but for those that break within a quoted word."""
    pending = ""
    for line in text.splitlines():
        pending += line
        try:
            shlex.split(pending, comments=True)
        except ValueError:
            pending += "\n"
            continue
        yield pending
        pending = ""
