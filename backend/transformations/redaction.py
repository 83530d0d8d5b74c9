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
    candidates = [place for place, token in enumerate(tokens) if _may_be_a_secret(token)]
    kept: list[str] = []
    done = 0
    for place in candidates:
        if place < done or tokens[place + 1 : place + 2] != [":"] or not _is_a_secret(tokens[place]):
            continue
        kept += tokens[done:place]
        done = _after_value(tokens, place + 2)
        if kept[-1] == ",":
            kept.pop()
        elif tokens[done] == ",":
            done += 1
    return "".join([*kept, *tokens[done:]])


def _may_be_a_secret(token: str) -> bool:
    """Whether a token is a text of the secret's length, or one with an escape."""
    return token[0] == '"' and (len(token) == len(_SECRET) + 2 or "\\" in token)


def _is_a_secret(token: str) -> bool:
    name: str = json.loads(token)
    return name.translate(_ASCII_LOWER) == _SECRET


def _after_value(tokens: list[str], place: int) -> int:
    """The place after the value that begins at `place`."""
    depth = 0
    while True:
        depth += (tokens[place] in ("{", "[")) - (tokens[place] in ("}", "]"))
        place += 1
        if depth == 0:
            return place
