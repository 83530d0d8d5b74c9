"""Concurrent runs on one session: real Spark, with tasks that take their time in place of the cleaning."""

import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from backend.adapters.local_spark import local_session
from backend.bootstrap import Services
from backend.domain.messages import LargeBatchMessage
from backend.local.spark_worker.cleaning import clean
from backend.local.spark_worker.runs import Runs
from backend.ports import RunState
from backend.services.spark_progress import watched
from tests.integration.spark_worker.messages import message
from tests.waiting import wait_until

# py4j leaves its sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@dataclass(frozen=True)
class SlowTasks:
    """What a run does: as many tasks as its message says, begun as the engine begins its own."""

    spark: SparkSession

    def run(self, message: LargeBatchMessage, delivery: int) -> None:  # noqa: ARG002 - as it is called
        tasks = int(message.parent_job_id)
        numbers = self.spark.range(0, tasks, 1, tasks)
        watched(self.spark, lambda: numbers.mapInArrow(_slowly, "id long").count(), lambda _done, _of: None)


def _slowly(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        time.sleep(0.2)
        yield batch


class SlowServices:
    """The part of the services that a worker calls."""

    def large_batch_cleaning(self, spark: SparkSession) -> Any:
        return SlowTasks(spark)


@pytest.fixture
def spark(tmp_path: Path) -> Iterator[SparkSession]:
    session = local_session(tmp_path, cores="2")
    yield session
    session.stop()
    gc.collect()


def test_a_small_run_need_not_wait_for_the_tasks_of_a_huge_one(spark: SparkSession) -> None:
    runs = Runs(lambda sent: clean(cast("Services", SlowServices()), spark, sent))
    huge = runs.start(message(dataset="2000"))
    tracker = spark.sparkContext.statusTracker()
    wait_until(tracker.getActiveStageIds)

    small = runs.start(message(dataset="4"))

    wait_until(lambda: runs.state(small) == RunState.SUCCEEDED)
    assert runs.state(huge) == RunState.RUNNING
    spark.sparkContext.cancelAllJobs()
    wait_until(lambda: runs.state(huge) == RunState.FAILED)
