"""The tables of docs/SCALING.md: `python3 docs/scaling.py` prints them, `--write` puts them into the page.

What is measured, assumed and computed stands in scaling_model.py, and Azure's limits in scaling_limits.py.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import costs
import scaling_answers
import scaling_text as text
from scaling_limits import LIMITS
from scaling_model import (
    CROSSOVER,
    FUNCTION_SECONDS,
    HOUR,
    INSTANCE_THREADS,
    MOST_RECORDS,
    MOST_WORKERS,
    MYSQL_A_RECORD,
    MYSQL_FACT_ROWS_A_SECOND,
    PANDAS,
    PANDAS_GB,
    POST_CPU,
    PROGRESS_CALLS,
    QUEUE_CALLS,
    SMALL_BYTES,
    SMALL_JOB,
    SMALL_RECORDS,
    SPARK_MILLION,
    SPEEDUP_OF_TWO_CORES,
    TABLE_CALLS,
    TRIGGER_HOURS,
    UPLOAD_BYTES,
    UPLOAD_CPU_OF_SMALL,
    UPLOAD_EXPANSION,
    WORKER_CORES,
    Line,
    crossing,
    dollars_of_a_run,
    duration,
    first,
    keeps_up,
    lake_calls,
    loading,
    measured_crossing,
    month,
    mysql,
    mysql_bytes,
    needs,
    on_a_new_cluster,
    records_in,
    run,
    spark,
    used,
)

PAGE = Path(__file__).with_name("SCALING.md")
RATES, JOB_RECORDS = (1, 100, 10_000), (100, 10_000, 100_000, 1_000_000)
PRICED_RECORDS = (costs.RECORDS_OF_SMALL, costs.RECORDS_OF_LARGE)
DATASETS = tuple(10**exponent for exponent in range(5, 10))


def jobs_table() -> str:
    """What each rate of jobs needs, what it meets first, and what it costs."""
    heads = ("jobs/h", "records each", "a job takes", "API processes", "cleaning, at once", "MySQL cores")
    rows = [_job_row(jobs, records) for jobs in RATES for records in JOB_RECORDS]
    return text.table((*heads, "Synapse keeps up", "first limit today", "US$, first month"), rows)


def _job_row(jobs: int, records: int) -> tuple[str, ...]:
    need = needs(jobs, records)
    warehouse = keeps_up(jobs, records)
    name, share = first(jobs, records, warehouse=warehouse)
    return (
        f"{jobs:,}",
        f"{records:,}",
        text.time(duration(records, warehouse=warehouse)),
        f"{need.api_processes:,}",
        f"instances: {need.instances:,}" if need.instances else f"Spark runs: {need.runs:,}",
        f"{need.mysql_cores:,}",
        "yes" if warehouse else f"no: {text.share(loading(jobs, records))}",
        f"{name}: {text.share(share)}",
        text.dollars(month(jobs, records)) if records in PRICED_RECORDS else "",
    )


def capacities_table() -> str:
    """How many jobs an hour the parts take that are the first limits."""
    rows = []
    for records in JOB_RECORDS:
        shares = sorted(used(1, records).items(), key=lambda part: -part[1])[:4]
        rows.append((f"{records:,}", *(f"{name}: {text.rounded(1 / share)}" for name, share in shares)))
    return text.table(("records each", "jobs/h that fill the first limit", "second", "third", "fourth"), rows)


def datasets_table() -> str:
    """For one dataset of each size."""
    rows = []
    for records in DATASETS:
        runs = [
            f"{text.time(run(records, workers))}, ${dollars_of_a_run(records, workers):,.2f}"
            for workers in (1, MOST_WORKERS)
        ]
        rows.append(
            (
                f"10^{len(str(records)) - 1}",
                text.size(records * costs.BRONZE_BYTES_A_RECORD),
                *runs,
                f"{text.time(mysql(records))}, {text.size(mysql_bytes(records))}",
                _dataset_limit(records),
            )
        )
    runs_of = (f"run on {WORKER_CORES} cores", f"on {WORKER_CORES * MOST_WORKERS}")
    return text.table(("records", "Bronze", *runs_of, "into MySQL", "first limit today"), rows)


def _dataset_limit(records: int) -> str:
    size = records * costs.BRONZE_BYTES_A_RECORD
    if records > MOST_RECORDS:
        return "refused: `MAX_RECORD_COUNT`"
    if size > UPLOAD_BYTES * UPLOAD_EXPANSION:
        return "can't be uploaded, only made as sample data"
    if size > UPLOAD_BYTES:
        return "an upload's body: gzip and Parquet pass"
    return f"the trigger: up to {TRIGGER_HOURS} h of waiting"


def stops_table() -> str:
    """At how many records one dataset meets each limit, in order."""
    record = costs.BRONZE_BYTES_A_RECORD
    rows = [
        (UPLOAD_BYTES / record, "plain JSON upload", "`MAX_UPLOAD_BYTES`, 1 GiB"),
        (
            LIMITS["http answer"].figure / MYSQL_A_RECORD,
            "Data Factory's call of `load_gold` is given up; the load goes on",
            "230 s for an HTTP answer",
        ),
        (UPLOAD_BYTES * UPLOAD_EXPANSION / record, "gzip upload", "20 times `MAX_UPLOAD_BYTES` unpacked"),
        (MOST_RECORDS, "any upload, and sample data", "`MAX_RECORD_COUNT`"),
        (FUNCTION_SECONDS / MYSQL_A_RECORD, "a load into MySQL never ends", "`functionTimeout`, 10 minutes"),
    ]
    ordered = [(text.rounded(at), what, why) for at, what, why in sorted(rows)]
    return text.table(("records", "what stops", "by"), ordered)


def crossings_table() -> str:
    """Where the large path overtakes the small one, and what else speaks for it."""
    warm, cold = spark(WORKER_CORES), on_a_new_cluster()
    waited = Line(cold.fixed + TRIGGER_HOURS * HOUR / 2, cold.a_record)
    each = costs.INSTANCE_GB / INSTANCE_THREADS
    bytes_limit = SMALL_BYTES / costs.BRONZE_BYTES_A_RECORD
    rows = [
        ("**one machine, Spark warm on 2 cores**", measured_crossing(), "between two measured points"),
        (f"a cluster kept warm, {WORKER_CORES} cores", crossing(PANDAS, warm), "computed"),
        ("**a cluster started for the run**", crossing(PANDAS, cold), "computed; start of 5 minutes assumed"),
        ("the same after half of the trigger's 10 hours", crossing(PANDAS, waited), "computed"),
        (f"memory: {INSTANCE_THREADS} jobs at a time in 4 GB", records_in(each), "from measured memory"),
        ("memory: one job alone in 4 GB", records_in(costs.INSTANCE_GB), "extrapolated from 400,000"),
        ("`SMALL_BATCH_BYTE_LIMIT`, 256 MiB", bytes_limit, "at the sample's bytes a record"),
        ("`SMALL_BATCH_RECORD_LIMIT`: where it is switched", SMALL_RECORDS, "setting"),
    ]
    return text.table(
        ("the small path is left at", "records", ""), [(a, text.rounded(at), how) for a, at, how in rows]
    )


def measured_table() -> str:
    """What the model starts from, and when it was measured or counted."""
    engines = ", ".join(
        f"{text.rounded(n)}: {pandas} and {spark_} s" for n, (pandas, spark_) in CROSSOVER.items()
    )
    memory = ", ".join(f"{text.rounded(records)}: {size} GB" for records, size in PANDAS_GB.items())
    jobs = ", ".join(f"{text.rounded(records)}: {seconds} s" for records, seconds in SMALL_JOB.items())
    calls = f"{QUEUE_CALLS}; {TABLE_CALLS}, {PROGRESS_CALLS}; {lake_calls(SMALL_RECORDS)}"
    large_path = "6104d28 ([large_path.md](large_path.md))"
    readme = "7e3f2f6 ([README](../README.md#how-fast))"
    here = "ac6d0ab, for this page"
    bench = "6104d28 ([BENCHMARKS.md](BENCHMARKS.md))"
    rows = [
        ("pandas on one core and Spark on two, by records", engines, large_path),
        ("memory of pandas, by records", memory, large_path),
        ("Spark on two cores, a million records", f"{SPARK_MILLION} s", large_path),
        ("Spark on one core beside two", f"{SPEEDUP_OF_TWO_CORES} times as long", large_path),
        ("`POST` to `completed`, by records", jobs, bench),
        ("fact rows into MariaDB", f"{MYSQL_FACT_ROWS_A_SECOND:,} a second", readme),
        ("the API's CPU for a `POST`", f"{POST_CPU} s, of 90", here),
        ("the API's CPU for an upload of 10,000", f"{UPLOAD_CPU_OF_SMALL} s, of 5", here),
        (
            "calls of a small job: queue; tables, JobProgress among them; lake",
            calls,
            f"{here}; less what 6104d28 no longer reads",
        ),
        ("lake calls of 100,000 records", f"{lake_calls(100_000)}", here),
    ]
    return text.table(("measured or counted on 2026-11-23", "", "recorded at commit"), rows)


def limits_table() -> str:
    """Azure's limits."""
    rows = [
        (f"{limit.figure:,}", limit.unit, f"[{Path(limit.source).stem}]({limit.source})", limit.dated)
        for limit in LIMITS.values()
    ]
    return text.table(("", "", "read in", "of"), rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "answers": scaling_answers.answers,
    "jobs": jobs_table,
    "capacities": capacities_table,
    "datasets": datasets_table,
    "stops": stops_table,
    "crossings": crossings_table,
    "measured": measured_table,
    "limits": limits_table,
}


def written(page: str) -> str:
    """The page with every block as it comes out now.

    Raises:
        ValueError: a block has no place in the page.
    """
    for name, block in BLOCKS.items():
        begin, end = f"<!-- {name}, by docs/scaling.py -->", f"<!-- end of {name} -->"
        start, stop = page.index(begin) + len(begin), page.index(end)
        page = f"{page[:start]}\n{block()}\n{page[stop:]}"
    return page


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(written(PAGE.read_text()))
    else:
        sys.stdout.write("\n\n".join(block() for block in BLOCKS.values()) + "\n")
