"""What a number of jobs and records asks of each part of the service, computed; scaling.py shows it.

Figures are seconds unless they say otherwise. Where each is from stands in docs/SCALING.md; prices, and what
they depend on, stand in costs.py.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log2

import costs
from scaling_limits import LIMITS

HOUR = 3_600

# Measured on 2 cores, not on Azure: change these when docs/BENCHMARKS.md has other ones.
CROSSOVER = {10_000: (0.32, 1.3), 50_000: (1.49, 2.43), 100_000: (3.15, 3.63), 400_000: (13.33, 12.59)}
"""Records: pandas on one core, and Spark on two, the same files in warm processes."""
SPARK_MILLION = 34.47
SPEEDUP_OF_TWO_CORES = 1.92
PANDAS_GB = {100_000: 0.65, 400_000: 1.63}
SMALL_JOB = {100: 0.51, 10_000: 1.18}
"""Records: from `POST /clean_data` to completed, loaded into SQLite and DuckDB."""
POST_CPU, UPLOAD_CPU_OF_SMALL = 0.019, 0.43
MYSQL_FACT_ROWS_A_SECOND = 40_453

# Counted: the storage calls of one job on a local stack, its upload included.
QUEUE_CALLS, TABLE_CALLS, PROGRESS_CALLS = 3, 34, 21
LAKE_CALLS_OF_SMALL, LAKE_CALLS_OF_LARGE, LAKE_CALLS_A_PART = 44, 75, 6

# The service's own limits; a test holds them to the code.
SMALL_RECORDS, SMALL_BYTES, PART_RECORDS, MOST_RECORDS = 10_000, 1 << 28, 10_000, 10_000_000
UPLOAD_BYTES, UPLOAD_EXPANSION = 1 << 30, 20
INSTANCES, RUNS, FUNCTION_SECONDS = 40, 3, 600
TRIGGER_HOURS, LOOK_SECONDS = 10, 60

# Assumed.
CLUSTER_START = 300
WORKER_CORES, MOST_WORKERS = 8, 4
MYSQL_CORES = 2
BUSY = 0.7
"""How busy a part may be that is said to be enough."""

INSTANCE_THREADS = 6
"""Jobs that an instance of two cores works on at a time: Python's default of cores + 4."""

A_LOAD = "a job at a time"


@dataclass(frozen=True)
class Line:
    """Seconds for a number of records: a fixed part, and one that grows."""

    fixed: float
    a_record: float

    def of(self, records: float) -> float:
        """Seconds for so many records."""
        return self.fixed + self.a_record * records


def through(points: dict[int, float]) -> Line:
    """The line through the first and the last of some measured points."""
    (few, short), *_, (many, long) = points.items()
    slope = (long - short) / (many - few)
    return Line(short - slope * few, slope)


PANDAS = through({records: pandas for records, (pandas, _) in CROSSOVER.items()})
SPARK_ON_TWO = through({10_000: CROSSOVER[10_000][1], 1_000_000: SPARK_MILLION})
SMALL = through(SMALL_JOB)
MYSQL_A_RECORD = costs.GOLD_ROWS_A_RECORD / MYSQL_FACT_ROWS_A_SECOND
# What costs.py assumes for a million records in both databases, less MySQL's share.
SYNAPSE = through(
    {
        10_000: costs.WAREHOUSE_SECONDS_OF_SMALL,
        1_000_000: costs.LOADING_SECONDS_OF_LARGE - MYSQL_A_RECORD * 1_000_000,
    }
)


def spark(cores: int) -> Line:
    """Each doubling of cores is taken to help as much as the first one, which alone is measured."""
    return Line(SPARK_ON_TWO.fixed, SPARK_ON_TWO.a_record / SPEEDUP_OF_TWO_CORES ** (log2(cores) - 1))


def on_a_new_cluster() -> Line:
    """A run on one worker, the start of its cluster included."""
    warm = spark(WORKER_CORES)
    return Line(CLUSTER_START + warm.fixed, warm.a_record)


def run(records: int, workers: int = 1) -> float:
    """A Databricks run, the start of its cluster included."""
    return CLUSTER_START + spark(WORKER_CORES * workers).of(records)


def mysql(records: int) -> float:
    """Loading one job; for small ones that was measured by itself."""
    if records <= SMALL_RECORDS:
        return records * costs.MYSQL_SECONDS_OF_SMALL / costs.RECORDS_OF_SMALL
    return records * MYSQL_A_RECORD


def synapse(records: int) -> float:
    """Loading one job: seven tables, however small they are."""
    return max(costs.WAREHOUSE_SECONDS_OF_SMALL, SYNAPSE.of(records))


def api(records: int) -> float:
    """What one process of the API is at for a job: its records taken in, and the job."""
    return POST_CPU + UPLOAD_CPU_OF_SMALL * records / costs.RECORDS_OF_SMALL


def lake_calls(records: int) -> int:
    """Of one job and its upload."""
    job = LAKE_CALLS_OF_SMALL if records <= SMALL_RECORDS else LAKE_CALLS_OF_LARGE
    return job + LAKE_CALLS_A_PART * ceil(records / PART_RECORDS)


def used(jobs: int, records: int, *, warehouse: bool = True) -> dict[str, float]:
    """How much is used of each part as the set-up makes it; 1 is all that there is.

    Args:
        jobs: an hour.
        records: in each of them.
        warehouse: whether Gold goes to Synapse too.
    """
    a_second = jobs / HOUR
    requests = LIMITS["requests"].figure
    ingress = LIMITS["ingress"].figure * 1e9 / 8
    shares = {
        "API, 1 process": a_second * api(records),
        "one queue": a_second * QUEUE_CALLS / LIMITS["queue"].figure,
        "account of queues and tables": a_second * (QUEUE_CALLS + TABLE_CALLS) / requests,
        "JobProgress of a single user": a_second * PROGRESS_CALLS / LIMITS["partition"].figure,
        "lake account, requests": a_second * lake_calls(records) / requests,
        "lake account, bytes in": a_second * records * costs.BRONZE_BYTES_A_RECORD / ingress,
    }
    to_synapse = synapse(records) * warehouse
    if records <= SMALL_RECORDS:
        return shares | {
            f"Synapse, {A_LOAD}": a_second * to_synapse,
            f"MySQL, {MYSQL_CORES} cores": a_second * mysql(records) / MYSQL_CORES,
            f"Functions, {INSTANCES} instances": a_second * SMALL.of(records) / INSTANCES,
        }
    return shares | {
        f"Databricks, {RUNS} runs": a_second * slot(records) / RUNS,
        f"load_gold, {A_LOAD}": a_second * (mysql(records) + to_synapse),
    }


def slot(records: int) -> float:
    """How long a run keeps another one waiting: it is followed once a minute."""
    return run(records) + LOOK_SECONDS / 2


def first(jobs: int, records: int, *, warehouse: bool = True) -> tuple[str, float]:
    """The part of which most is used, and how much."""
    shares = used(jobs, records, warehouse=warehouse)
    return max(shares.items(), key=lambda part: part[1])


def loading(jobs: int, records: int) -> float:
    """How much is used of what loads one job at a time when Synapse is there: 1 is all of it."""
    return next(share for name, share in used(jobs, records).items() if name.endswith(A_LOAD))


def duration(records: int, *, warehouse: bool = True) -> float:
    """One job on Azure once work on it begins: no waiting for a trigger or for another job."""
    cleaning = SMALL.of(records) if records <= SMALL_RECORDS else run(records) + mysql(records)
    return cleaning + synapse(records) * warehouse


@dataclass(frozen=True)
class Needs:
    """What is enough for a rate of jobs; of instances and runs the one that its path has."""

    api_processes: int
    instances: int
    runs: int
    mysql_cores: int


def needs(jobs: int, records: int) -> Needs:
    """So that none is busier than `BUSY`."""

    def enough(seconds_of_a_job: float) -> int:
        return max(1, ceil(jobs / HOUR * seconds_of_a_job / BUSY))

    small = records <= SMALL_RECORDS
    return Needs(
        api_processes=enough(api(records)),
        instances=enough(SMALL.of(records)) if small else 0,
        runs=0 if small else enough(slot(records)),
        mysql_cores=2 * ceil(enough(mysql(records)) / 2),
    )


def keeps_up(jobs: int, records: int) -> bool:
    """Whether Synapse does, loading a job at a time."""
    return jobs / HOUR * synapse(records) <= 1


def month(jobs: int, records: int) -> dict[str, float]:
    """Dollars by service in the first month, for jobs of the two sizes that costs.py knows.

    Synapse is left out where it can't keep up.
    """
    small = records <= SMALL_RECORDS
    daily = 24 * jobs
    draining = 0 if small else min(24 * 60, ceil(daily * run(records) / RUNS / 60))
    servers = needs(jobs, records).mysql_cores // 2
    size = costs.Size("", daily * small, daily * (not small), draining, servers, int(keeps_up(jobs, records)))
    return costs.costs(size)


def mysql_bytes(records: float) -> float:
    """What rows of so many records take there."""
    return records * costs.GOLD_ROWS_A_RECORD * costs.MYSQL_BYTES_A_ROW


def seconds_until_mysql_is_full(jobs: int, records: int) -> float:
    """From empty, on the largest disk."""
    return LIMITS["mysql disk"].figure * 2**40 / mysql_bytes(jobs * records) * HOUR


def dollars_of_a_run(records: int, workers: int) -> float:
    """Of Databricks and its machines: the driver and its workers."""
    hour = costs.DATABRICKS_MACHINE_HOUR + costs.DATABRICKS_UNITS_A_NODE_HOUR * costs.DATABRICKS_UNIT
    return hour * (workers + 1) * run(records, workers) / HOUR


def crossing(small: Line, large: Line) -> float:
    """The number of records from which the second is the quicker one."""
    return (large.fixed - small.fixed) / (small.a_record - large.a_record)


def measured_crossing() -> float:
    """The same, between the two measured points where the difference changes its sign.

    Raises:
        ValueError: the paths do not cross where they were measured.
    """
    ahead = [(records, pandas - spark_) for records, (pandas, spark_) in CROSSOVER.items()]
    for (few, before), (many, after) in pairwise(ahead):
        if before < 0 <= after:
            return few + (many - few) * -before / (after - before)
    raise ValueError("measure further: pandas is ahead at every measured point, or at none")


def records_in(gigabytes: float) -> float:
    """How many records pandas holds in so much memory."""
    (few, little), (many, much) = PANDAS_GB.items()
    return few + (gigabytes - little) * (many - few) / (much - little)
