"""How far Spark has come with what it was asked for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar
from uuid import uuid4

from pyspark import SparkContext, inheritable_thread_target
from pyspark.sql import SparkSession

_LOOKS_EVERY_SECONDS = 0.25

_Result = TypeVar("_Result")


def watched(
    spark: SparkSession, action: Callable[[], _Result], on_tasks: Callable[[int, int], None]
) -> _Result:
    """Do something with Spark, and tell meanwhile how many tasks of its first stage are done, of how many.

    An error of `on_tasks` ends the action.
    """
    group = uuid4().hex

    def grouped() -> _Result:
        spark.sparkContext.setJobGroup(group, "watched")
        return action()

    with ThreadPoolExecutor(1, thread_name_prefix="spark") as pool:
        result = pool.submit(inheritable_thread_target(spark)(grouped))
        try:
            while not wait([result], _LOOKS_EVERY_SECONDS).done:
                on_tasks(*_first_stage(spark.sparkContext, group))
        except BaseException:
            spark.sparkContext.cancelJobGroup(group)
            raise
        value: _Result = result.result()
        return value


def _first_stage(context: SparkContext, group: str) -> tuple[int, int]:
    tracker = context.statusTracker()
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
    stages = sorted(stage for job in jobs if job is not None for stage in job.stageIds)
    first = tracker.getStageInfo(stages[0]) if stages else None
    return (0, 0) if first is None else (first.numCompletedTasks, first.numTasks)
