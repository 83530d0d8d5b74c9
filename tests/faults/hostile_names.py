"""Names that are put where an id belongs, to get at what it does not name."""

import random
from collections.abc import Iterator
from urllib.parse import quote

_PIECES = (
    "..",
    "../",
    "%2f",
    "%2F",
    "%2e%2e%2f",
    "%2e%2e/",
    "..%5c",
    "%00",
    "%0d%0a",
    "%252e%252e%252f",
    "%c0%ae%c0%ae%c0%af",
    "%ef%bc%8f",
    "%e2%80%ae",
    "%ff",
    "%",
    "%zz",
    "*",
    "'",
    "%20or%201=1--",
    ";",
    "$",
    "{x}",
    "_manifest.json",
    "PartitionKey",
    "etc/passwd",
)


def hostile_names(real: str, owner: str) -> list[str]:
    """Names made of a real one, as they stand in an address; none of them is its own.

    Args:
        real: an id, or a name, that exists.
        owner: the user id of whose it is.
    """
    return [
        f"../{real}",
        f"..%2f{real}",
        f"..%2F{owner}%2F{real}",
        f"%2e%2e%2f{real}",
        f"%2e%2e%2f%2e%2e%2f{owner}%2f{real}",
        f"..%5c..%5c{real}",
        f"....//{real}",
        f"%252e%252e%252f{real}",
        f"%c0%ae%c0%ae%c0%af{real}",
        f"{real}%2f..%2f{real}",
        f"{real}%2f",
        f"%2f{real}",
        f"{owner}%2f{real}",
        f"{owner}_{real}",
        f"{real}%00",
        f"{real}%00.json",
        f"%00{real}",
        f"{real}%20",
        f"{real}%0a",
        f"{real}%0d%0aSet-Cookie:%20a=b",
        f"{real}%e2%80%8b",
        quote(look_alike(real)),
        quote(real[:-1] + "\N{CYRILLIC SMALL LETTER A}"),
        f"%ef%bb%bf{real}",
        f"{real}%ff",
        "..",
        ".",
        "%2e",
        "%2e%2e",
        "%00",
        "%20",
        "*",
        "%",
        "%zz",
        "{jobId}",
        "'%20or%20PartitionKey%20ne%20'",
        "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/etc/passwd",
        "file:%2f%2f%2fetc%2fpasswd",
        "a" * 10_240,
        "%2e%2e%2f" * 1_138,
        "%00" * 3_413,
    ]


def look_alike(text: str) -> str:
    """The same to the eye: digits and letters of full width, which some systems take for the plain ones."""
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


def random_names(real: str, owner: str, count: int, seed: int) -> Iterator[str]:
    """Names put together at random from all that is hostile, and from what is real."""
    made = random.Random(seed)
    for _ in range(count):
        yield "x" + "".join(made.choices((*_PIECES, real, owner, real[:8]), k=made.randint(1, 6)))
