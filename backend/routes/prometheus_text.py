"""The service's figures in Prometheus' text format."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from backend.domain.jobs import JobStatus, ProcessingPath
from backend.services.operational_figures import (
    STAGE_BOUNDS,
    EndedJobs,
    Figures,
    Outcome,
    StageSeconds,
)

_BOUNDS = (*(f"{bound:g}" for bound in STAGE_BOUNDS), "+Inf")


def content_type() -> str:
    """Of the format."""
    return CONTENT_TYPE_PLAIN_0_0_4


def exposition(figures: Figures) -> bytes:
    """The figures as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_Collected(figures))
    return generate_latest(registry)


class _Collected(Collector):
    """Figures that have been read already."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """See the library."""
        yield _open_jobs(self._figures)
        yield GaugeMetricFamily(
            "orchestrator_oldest_open_job_age_seconds",
            "Since the oldest job that has not ended was submitted; 0 without one.",
            self._figures.oldest_open_job_seconds,
        )
        yield _queues(self._figures)
        yield _ended_jobs(self._figures.ended)
        yield CounterMetricFamily(
            "orchestrator_records_in",
            "Records of the jobs that are completed, since midnight UTC.",
            self._figures.ended.records_in,
        )
        yield _records(self._figures.ended)
        yield _stages(self._figures.ended)


def _open_jobs(figures: Figures) -> Metric:
    family = GaugeMetricFamily("orchestrator_jobs", "Jobs that have not ended.", labels=["status"])
    for status in JobStatus:
        if not status.is_final:
            family.add_metric([status.value], figures.open_jobs[status])
    return family


def _queues(figures: Figures) -> Metric:
    family = GaugeMetricFamily(
        "orchestrator_queue_messages", "Messages on a queue, those in hand included.", labels=["queue"]
    )
    for name, depth in figures.queue_depths.items():
        family.add_metric([name], depth)
    return family


def _ended_jobs(ended: EndedJobs) -> Metric:
    family = CounterMetricFamily(
        "orchestrator_jobs_ended",
        "Ends of jobs since midnight UTC; a job that is retried may end again.",
        labels=["kind", "path", "status"],
    )
    for (kind, path, status), count in sorted(ended.jobs.items(), key=str):
        family.add_metric([kind.value, _path(path), status.value], count)
    return family


def _records(ended: EndedJobs) -> Metric:
    family = CounterMetricFamily("orchestrator_records", "What became of those records.", labels=["outcome"])
    for outcome in Outcome:
        family.add_metric([outcome.value], ended.records[outcome])
    return family


def _stages(ended: EndedJobs) -> Metric:
    family = HistogramMetricFamily(
        "orchestrator_stage_seconds",
        "How long the stages took of the jobs that have ended since midnight UTC.",
        labels=["stage", "path"],
    )
    for (stage, path), seconds in sorted(ended.stages.items(), key=str):
        family.add_metric([stage.value, _path(path)], _cumulative(seconds), seconds.total)
    return family


def _cumulative(seconds: StageSeconds) -> list[tuple[str, float]]:
    return list(zip(_BOUNDS, map(float, accumulate(seconds.buckets)), strict=True))


def _path(path: ProcessingPath | None) -> str:
    return "" if path is None else path.value
