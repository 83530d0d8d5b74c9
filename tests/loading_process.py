"""A loader in a process of its own, which a test can kill: `python -m tests.loading_process URL GOLD JOB`.

It says `loading` when it begins, and ends with 0 when the job's rows are in the database.
"""

import sys
from datetime import timedelta
from pathlib import Path

from backend.adapters.operational_database import OperationalDatabase
from backend.ports import LoadedDataset
from tests.gold import AS_OF, read_gold

OWNER, DATASET = "a" * 32, "orders"


def dataset(job_number: int) -> LoadedDataset:
    """The jobs of one dataset, later with their numbers."""
    return LoadedDataset(OWNER, DATASET, f"{job_number:032x}", AS_OF + timedelta(seconds=job_number))


def main() -> None:
    """Load one job."""
    url, folder, job_number = sys.argv[1:]
    tables = read_gold(Path(folder))
    database = OperationalDatabase(url)
    database.ping()
    sys.stdout.write("loading\n")
    sys.stdout.flush()
    database.load(dataset(int(job_number)), tables)
    database.close()


if __name__ == "__main__":
    main()
