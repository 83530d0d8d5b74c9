"""A record's JSON text without its secrets (data.md, Quarantine)."""

import json
import re

_SECRET = "password"  # noqa: S105 - the name of the member that is left out, no secret itself
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"|[][{}:,]|[^][{}:,"\s]+', re.DOTALL)
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def without_passwords(text: str) -> str:
    """The same JSON value less every member named `password`, ignoring ASCII case, at any depth.

    Works on the text, so that numbers keep their spelling whatever their size.
    """
    tokens = _TOKENS.findall(text)
    kept: list[str] = []
    place = 0
    while place < len(tokens):
        if not _names_a_secret(tokens, place):
            kept.append(tokens[place])
            place += 1
            continue
        place = _after_value(tokens, place + 2)
        if kept[-1] == ",":
            kept.pop()
        elif tokens[place] == ",":
            place += 1
    return "".join(kept)


def _names_a_secret(tokens: list[str], place: int) -> bool:
    if not tokens[place].startswith('"') or tokens[place + 1 : place + 2] != [":"]:
        return False
    name: str = json.loads(tokens[place])
    return name.translate(_ASCII_LOWER) == _SECRET


def _after_value(tokens: list[str], place: int) -> int:
    """The place after the value that begins at `place`."""
    depth = 0
    while True:
        depth += (tokens[place] in ("{", "[")) - (tokens[place] in ("}", "]"))
        place += 1
        if depth == 0:
            return place
