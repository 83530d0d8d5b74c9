"""How figures are written in docs/SCALING.md: rounded to what they are worth."""

from collections.abc import Iterable

_TIMES = ((24 * 3_600, "days"), (3_600, "h"), (60, "min"))
_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"))


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Of Markdown."""
    lines = [tuple(heads), *rows]
    lines.insert(1, ("---",) * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def share(of_all: float) -> str:
    """How much is used; bold when there is not enough."""
    if of_all > 1:
        return f"**{of_all:,.{0 if of_all >= 10 else 1}f} times**"
    return f"{of_all:.0%}" if of_all >= 0.01 else "under 1%"


def rounded(number: float) -> str:
    """To two digits that count."""
    return f"{round(number, 2 - len(str(int(number)))):,.0f}"


def time(seconds: float) -> str:
    """In the largest unit that it has two of."""
    for length, unit in _TIMES:
        if seconds >= 2 * length:
            return f"{seconds / length:.{0 if seconds >= 10 * length else 1}f} {unit}"
    return f"{seconds:.0f} s"


def size(in_bytes: float) -> str:
    """Of a megabyte or more."""
    length, unit = next(each for each in _SIZES if in_bytes >= each[0])
    return f"{in_bytes / length:,.3g} {unit}"


def dollars(by_service: dict[str, float]) -> str:
    """All of them together."""
    return f"{sum(by_service.values()):,.0f}"
