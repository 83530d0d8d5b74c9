"""`python -m backend quality`: how good a job's records were, and what cleaning made of them."""

import argparse

from backend.client.api_client import Json
from backend.command_line import ExitStatus
from backend.commands.printing import print_json, print_rows
from backend.commands.service_access import add_job_argument, add_service_arguments, connect

EXAMPLES = ("quality JOB", "quality JOB --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_job_argument(parser, "the id of a job that is cleaned")
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Print the figures that tell something, those that are counts by falling count; 0."""
    quality = connect(arguments).get(f"/jobs/{arguments.job}/quality")
    if arguments.json:
        print_json(quality)
    else:
        print_rows(("what", "which", "value"), _figures(quality), right=("value",))
    return ExitStatus.DONE


def _figures(quality: Json) -> list[tuple[str, str, str]]:
    mean = quality["meanQualityScore"]
    figures = [
        ("records", "in", str(quality["recordsIn"])),
        ("records", "silver", str(quality["silverRows"])),
        ("records", "duplicates", str(quality["duplicatesRemoved"])),
        ("records", "quarantined", str(quality["quarantined"])),
        ("score", "mean", "" if mean is None else f"{mean:.1f}"),
    ]
    for what, counts in (
        ("quarantined", quality["quarantinedByReason"]),
        ("issue", quality["issuesByCode"]),
    ):
        falling = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        figures += [(what, which, str(count)) for which, count in falling if count]
    return figures
