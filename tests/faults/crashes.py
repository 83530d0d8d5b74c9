"""Kills the stack's processes at every write that a job makes, and looks at what comes out.

`python -m tests.faults.crashes [--long] [--minutes N]`. One real stack, whose workers count as gone after
3 s. The points are those that undisturbed work comes to, so that a new write is tried by itself.
"""

import argparse
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from backend.bootstrap import utc_now
from backend.services.janitor import Cleared, Janitor
from tests.faults.crash_bench import STALE_SECONDS, CrashBench, Disturbed, Point, Work
from tests.faults.findings import Finding, record

_SEED = 20261123
_AZURITE_RESTARTS = 10
_SUBJECT = "Crashes"
_ONCE = "every job ended once, completed, its rows once in both databases, its manifest true, no message left"
UNDISTURBED = {
    Work.SMALL: f"{_ONCE}, its files those of an undisturbed run to the byte",
    Work.UPLOADED: f"{_ONCE}, its files those of an undisturbed run to the byte",
    Work.LARGE: f"{_ONCE}, the rows in its files those that pandas makes",
}
_NAMES = {
    Work.SMALL: "of a job on the small path",
    Work.UPLOADED: "of an upload",
    Work.LARGE: "of a job on the large path, Spark's processes among them",
}


def one_of_each(points: Sequence[Point]) -> list[Point]:
    """A few points that differ in what is written, for a form that takes a minute."""
    wanted = (
        "before create_entity JobProgress generating",
        "during write 00000.json",
        "after send small-batch-queue",
        "during write gold/analytics/fact_orders.parquet",
        "before write gold/analytics/_manifest.json",
        "after load into operational",
        "before upsert_entity JobEndings completed",
        "before submit_transaction Notifications",
        "before delete_message small-batch-queue",
    )
    return [point for point in points if point.name in wanted]


def strike_everywhere(bench: CrashBench, minutes: float) -> None:
    """Kill at every point that there is, then at any until so many minutes are over; record what came out."""
    points = [point for work in Work for point in bench.points(work)]
    struck = [bench.strike(point) for point in _in_turn(points, minutes)]
    bench.check_endings()
    for work in Work:
        _record_strikes([each for each in struck if each.point.work is work], work)


def _in_turn(points: Sequence[Point], minutes: float) -> Iterator[Point]:
    chance = random.Random(_SEED)
    end = time.monotonic() + 60 * minutes
    yield from chance.sample(points, len(points))
    while time.monotonic() < end:
        yield chance.choice(points)


def _record_strikes(struck: Sequence[Disturbed], work: Work) -> None:
    fired = [each for each in struck if each.fired]
    kinds = Counter(each.point.name.split()[0] for each in fired)
    where = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    outcome = (
        f"{UNDISTURBED[work]}; the slowest took {max(each.seconds for each in fired):.1f} s,"
        f" where a worker counts as gone after {STALE_SECONDS} s"
    )
    if missed := {each.point.name for each in struck} - {each.point.name for each in fired}:
        outcome += f"; {len(missed)} points were not come to again: {', '.join(sorted(missed))}"
    record(
        Finding(
            _SUBJECT, f"kill -9 of the process at a write {_NAMES[work]} ({where} it)", len(fired), outcome
        )
    )


def stop_everywhere(bench: CrashBench) -> None:
    """Stop workers until others have done their work, and let them go on."""
    starts = ("before write gold", "before load")
    points = [point for point in bench.points(Work.SMALL) if point.name.startswith(starts)]
    fired = sum(bench.strike(point, signal.SIGSTOP).fired for point in points)
    fault = "a worker stands still for longer than its lease, and goes on when another has done its work"
    record(Finding(_SUBJECT, fault, fired, UNDISTURBED[Work.SMALL]))


def triple(bench: CrashBench, times: int) -> None:
    """Send every message three times."""
    with bench.tripled():
        for _ in range(times):
            bench.run_job(Work.SMALL)
    fault = "every message sent three times, to two workers"
    record(Finding(_SUBJECT, fault, times, UNDISTURBED[Work.SMALL]))


def restart_azurite(bench: CrashBench, points: Sequence[Point]) -> int:
    """End Azurite when a job comes to these points; the stack starts it again. How often it was in time."""
    in_time = sum(map(bench.restart_azurite, points))
    fault = "Azurite ended while a job was under way, and started again"
    record(Finding(_SUBJECT, fault, in_time, UNDISTURBED[Work.SMALL]))
    return in_time


def clear(bench: CrashBench) -> Cleared:
    """Have the janitor remove what all those kills have left."""
    services = bench.services
    left = len(bench.unfinished_files())
    uploads = {each.parent_job_id for each in services.datasets.uploading()}
    janitor = Janitor(
        services.bronze,
        services.lake,
        services.datasets,
        services.dataset_deletion,
        patience=timedelta(0),
        clock=utc_now,
    )
    cleared = janitor.clear()
    assert (bench.unfinished_files(), services.datasets.uploading()) == ([], [])
    assert bench.bronze_folders().isdisjoint(uploads)
    assert cleared.uploads == len(uploads)
    outcome = f"the janitor removed {cleared.files} files and {cleared.uploads} uploads; nothing was left"
    record(Finding(_SUBJECT, "a file or an upload was broken off", left + len(uploads), outcome))
    return cleared


def main() -> None:
    """Run every disturbance and record what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="every point, and not only one of each kind")
    parser.add_argument(
        "--minutes",
        type=float,
        default=0,
        metavar="N",
        help="with --long: kill on, at any point, for so long",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, CrashBench(Path(folder)) as bench:
        if options.long:
            strike_everywhere(bench, options.minutes)
            stop_everywhere(bench)
        triple(bench, 10 if options.long else 1)
        points = bench.points(Work.SMALL)
        restart_azurite(
            bench, points[:: max(1, len(points) // _AZURITE_RESTARTS)] if options.long else points[:1]
        )
        clear(bench)
        bench.check_endings()
        if options.long:
            bench.wait_until_empty()


if __name__ == "__main__":
    main()
