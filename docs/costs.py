"""What a month costs, as docs/costs.md has it: put in your region's prices and `python3 docs/costs.py`.

US dollars, a month of 30 days or 730 hours. What is measured, what is assumed and where each price is from
stands in docs/costs.md.
"""

import sys
from dataclasses import dataclass

DAYS, HOURS = 30, 730


@dataclass(frozen=True)
class Size:
    """How much is cleaned in a day, and what that needs that does not grow by itself.

    Without warehouse units there is no Synapse.
    """

    name: str
    small_jobs: int
    large_jobs: int
    minutes_of_draining: int
    mysql_servers_of_two_cores: int
    hundreds_of_warehouse_units: int


SIZES = (
    Size("100 small", 100, 0, 0, 1, 1),
    Size("1,000 small, 2 large", 1_000, 2, 20, 1, 1),
    Size("10,000 small, 50 large", 10_000, 50, 150, 4, 2),
)

# Prices.
LAKE_GB = 0.026
LAKE_10K_WRITES = 0.09
LAKE_10K_READS = 0.006
QUEUE_AND_TABLE_10K_CALLS = 0.004
FUNCTIONS_GB_SECOND = 0.000026
FUNCTIONS_FREE_GB_SECONDS = 100_000
FACTORY_1K_ACTIVITY_RUNS = 1.00
DATABRICKS_UNIT = 0.30
DATABRICKS_UNITS_A_NODE_HOUR = 1.5
DATABRICKS_MACHINE_HOUR = 0.458
MYSQL_TWO_CORES_HOUR = 0.195
MYSQL_GB = 0.138
WAREHOUSE_100_UNITS_HOUR = 1.20
WAREHOUSE_TB = 23.0
LOG_GB = 2.30
LOG_FREE_GB = 5

# Measured.
RECORDS_OF_SMALL, RECORDS_OF_LARGE = 10_000, 1_000_000
BRONZE_BYTES_A_RECORD, OUTPUT_BYTES_A_RECORD = 3_450, 349
CLEANING_SECONDS_OF_SMALL, MYSQL_SECONDS_OF_SMALL = 0.71, 0.84
GOLD_ROWS_A_RECORD, MYSQL_BYTES_A_ROW = 1.74, 955
GOLD_PARQUET_BYTES_A_RECORD = 182

# Counted, from the pipelines' activities.
SMALL_RUNS, LARGE_RUNS, RECONCILIATIONS, ACTIVITIES_A_RUN, ACTIVITIES_A_LOOK = 144, 2.4, 1, 8, 4

# Assumed.
WAREHOUSE_SECONDS_OF_SMALL, LOADING_SECONDS_OF_LARGE = 20, 150
INSTANCE_GB, PIPELINE_CALL_SECONDS = 4, 1
NODES, MINUTES_OF_LARGE = 2, 7
WRITES_A_PART, READS_A_PART, CALLS_A_JOB = 60, 40, 40
LEAST_MYSQL_GB = 64
LOG_BYTES_A_JOB = 50_000


def costs(size: Size) -> dict[str, float]:
    """Dollars by service."""
    small, large = size.small_jobs * DAYS, size.large_jobs * DAYS
    records = small * RECORDS_OF_SMALL + large * RECORDS_OF_LARGE
    parts = records / RECORDS_OF_SMALL
    warehouse_seconds = WAREHOUSE_SECONDS_OF_SMALL if size.hundreds_of_warehouse_units else 0
    lake_gb = records * (BRONZE_BYTES_A_RECORD + OUTPUT_BYTES_A_RECORD) / 1e9
    seconds = (
        small * (CLEANING_SECONDS_OF_SMALL + MYSQL_SECONDS_OF_SMALL + warehouse_seconds)
        + large * LOADING_SECONDS_OF_LARGE
        + SMALL_RUNS * DAYS * 2 * PIPELINE_CALL_SECONDS
    )
    runs = (SMALL_RUNS + LARGE_RUNS + RECONCILIATIONS) * DAYS * ACTIVITIES_A_RUN
    looks = size.minutes_of_draining * DAYS * ACTIVITIES_A_LOOK
    node_hours = large * NODES * MINUTES_OF_LARGE / 60
    mysql_gb = records * GOLD_ROWS_A_RECORD * MYSQL_BYTES_A_ROW / 1e9
    warehouse_gb = records * GOLD_PARQUET_BYTES_A_RECORD / 1e9
    return {
        "Data lake: content": lake_gb * LAKE_GB,
        "Data lake: calls": parts
        * (WRITES_A_PART * LAKE_10K_WRITES + READS_A_PART * LAKE_10K_READS)
        / 10_000,
        "Queues and tables": (small + large * 10) * CALLS_A_JOB * QUEUE_AND_TABLE_10K_CALLS / 10_000,
        "Functions": max(0, INSTANCE_GB * seconds - FUNCTIONS_FREE_GB_SECONDS) * FUNCTIONS_GB_SECOND,
        "Databricks": node_hours * (DATABRICKS_MACHINE_HOUR + DATABRICKS_UNITS_A_NODE_HOUR * DATABRICKS_UNIT),
        "Data Factory": (runs + looks) * FACTORY_1K_ACTIVITY_RUNS / 1_000,
        "MySQL: server": HOURS * MYSQL_TWO_CORES_HOUR * size.mysql_servers_of_two_cores,
        "MySQL: storage": max(LEAST_MYSQL_GB, mysql_gb) * MYSQL_GB,
        "Synapse: pool": HOURS * WAREHOUSE_100_UNITS_HOUR * size.hundreds_of_warehouse_units,
        "Synapse: storage": -(-warehouse_gb // 1_000) * WAREHOUSE_TB
        if size.hundreds_of_warehouse_units
        else 0,
        "Logs": max(0, (small + large) * LOG_BYTES_A_JOB / 1e9 - LOG_FREE_GB) * LOG_GB,
    }


def table() -> str:
    """The table of docs/costs.md."""
    columns = [costs(size) for size in SIZES]
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    rows.append(["**together**", *(sum(column.values()) for column in columns)])
    lines = [
        "| US$ a month | " + " | ".join(size.name for size in SIZES) + " |",
        "|---|" + "--:|" * len(SIZES),
    ]
    lines += ["| " + " | ".join(_shown(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _shown(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, float | int) else str(value)


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
