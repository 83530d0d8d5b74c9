"""Folders with some of this environment's packages, for what has to run without the others."""

from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement


def needed(requirements: Iterable[str]) -> list[Distribution]:
    """The distributions that requirements ask for, with those that these ask for, of this environment."""
    found: dict[str, Distribution] = {}
    asked = list(requirements)
    while asked:
        requirement = Requirement(asked.pop())
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and requirement.name not in found:
            found[requirement.name] = distribution(requirement.name)
            asked += found[requirement.name].requires or ()
    return list(found.values())


def link(distributions: Iterable[Distribution], folder: Path) -> None:
    """Make packages importable from a folder: whole ones as links, those that share a folder file by file."""
    owners: defaultdict[str, list[Distribution]] = defaultdict(list)
    for each in distributions:
        for top in {file.parts[0] for file in each.files or () if ".." not in file.parts}:
            owners[top].append(each)
    for top, sharing in owners.items():
        if len(sharing) == 1:
            (folder / top).symlink_to(sharing[0].locate_file(top))
            continue
        for each in sharing:
            for file in each.files or ():
                if file.parts[0] == top:
                    (folder / file).parent.mkdir(parents=True, exist_ok=True)
                    (folder / file).symlink_to(each.locate_file(file))
