"""One job, followed by its trace through every process that works on it, and to Application Insights."""

import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import azure.functions as func
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from backend.adapters.leased_queue import StorageLeasedQueue
from backend.adapters.opentelemetry_tracer import OpenTelemetryTracer, azure_monitor_exporter
from backend.azure_clients import queue_service
from backend.bootstrap import Services, utc_now
from backend.domain.errors import InvalidSettings
from backend.domain.jobs import JobStatus
from backend.domain.messages import CleaningMessage, LargeBatchMessage
from backend.local.spark_worker.cleaning import clean
from backend.myfunc.functions.data_generation_functions import generate_sample_data_part
from backend.myfunc.functions.small_batch_functions import transform_small_batch_queue
from backend.services.draining import LargeQueueDrainer
from backend.services.small_batch_cleaning import SmallBatchCleaner
from backend.settings import Settings
from backend.telemetry import traces
from backend.telemetry.log_lines import JsonLines, hashed
from tests.application_insights import ApplicationInsights, running_application_insights
from tests.fakes import InMemorySparkJobs
from tests.integration.api.conftest import User, Workers

_RECORD = '{"order": {"id": "o-%d"}, "user": {"id": "u-1"}}'


@pytest.fixture
def spans() -> Iterator[Callable[[], list[ReadableSpan]]]:
    """Those that have ended, in the order of their ends."""
    exporter = InMemorySpanExporter()
    tracer = OpenTelemetryTracer("tests", lambda _: exporter)
    traces.install(tracer)

    def ended() -> list[ReadableSpan]:
        tracer.flush()
        return list(exporter.get_finished_spans())

    yield ended
    traces.install(None)
    tracer.close()


@pytest.fixture
def function(services: Services, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], None]:
    """Calls a function of the app with a queue's message."""
    monkeypatch.setattr("backend.myfunc.process_services._build", lambda: services)
    functions = {
        "transform_small_batch_queue": transform_small_batch_queue,
        "generate_sample_data_part": generate_sample_data_part,
    }

    def call(name: str, body: bytes) -> None:
        functions[name](func.QueueMessage(body=body))  # type: ignore[no-untyped-call] # the library left it untyped

    return call


def submitted(user: User, records: int) -> tuple[str, str]:
    """A job on records of its own, and the id of the request that asked for it."""
    body = "\n".join(_RECORD % number for number in range(records))
    upload = user.api.post("/upload_raw", data=body, content_type="application/x-ndjson").json or {}
    answer = user.api.post("/clean_data", json={"parentJobId": upload["parentJobId"]})
    return (answer.json or {})["jobId"], answer.headers["X-Request-Id"]


def of_trace(spans: list[ReadableSpan], request_id: str) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans if f"{span.context.trace_id:032x}" == request_id}


def test_a_small_job_is_one_trace_from_its_request_to_its_load(
    user: User,
    workers: Workers,
    settings: Settings,
    spans: Callable[[], list[ReadableSpan]],
    function: Callable[[str, bytes], None],
) -> None:
    job_id, request_id = submitted(user, records=3)
    [body] = workers.take(settings.small_batch_queue)
    function("transform_small_batch_queue", body)

    traced = of_trace(spans(), request_id)
    request, worker, load = (
        traced[name] for name in ("POST /clean_data", "transform_small_batch_queue", "load gold")
    )
    assert worker.parent is not None
    assert worker.parent.span_id == request.context.span_id
    assert load.parent is not None
    assert load.parent.span_id == worker.context.span_id
    stages = {"reading bronze", "cleaning", "building gold", "writing tables", "writing manifest", "loading"}
    assert stages <= set(traced)
    assert traced["loading"].attributes == {"destination": "the operational database"}
    assert dict(worker.attributes or {}) == {"job_id": job_id, "delivery": 1}
    assert user.api.get(f"/jobs/{job_id}").json["status"] == "completed"


def test_a_message_stays_small(user: User, workers: Workers, settings: Settings) -> None:
    _, request_id = submitted(user, records=1)
    [body] = workers.take(settings.small_batch_queue)

    assert request_id.encode() in body
    assert len(body) < 400


def test_a_job_with_generated_data_is_one_trace_through_every_part(
    user: User,
    workers: Workers,
    settings: Settings,
    spans: Callable[[], list[ReadableSpan]],
    function: Callable[[str, bytes], None],
) -> None:
    request_id = user.api.post("/clean_data", json={"dataCount": 50}).headers["X-Request-Id"]
    for body in workers.take(settings.data_generation_queue):
        function("generate_sample_data_part", body)
    for body in workers.take(settings.small_batch_queue):
        function("transform_small_batch_queue", body)

    names = [span.name for span in spans() if f"{span.context.trace_id:032x}" == request_id]
    assert names.count("generate_sample_data_part") == 3
    assert names.count("transform_small_batch_queue") == 1
    assert names.count("load gold") == 1


def test_a_large_job_is_one_trace_through_the_drain_spark_and_the_pipelines_load(
    user: User,
    workers: Workers,
    settings: Settings,
    services: Services,
    spans: Callable[[], list[ReadableSpan]],
) -> None:
    job_id, request_id = submitted(user, records=51)
    spark = InMemorySparkJobs()
    queue = StorageLeasedQueue(queue_service(settings.storage), settings.large_batch_queue)
    LargeQueueDrainer(queue, services.jobs, spark, services.poisoning, max_runs=3, clock=utc_now).step()
    [message] = spark.messages.values()
    run_in_spark(services, message)
    # As a pipeline loads it: what is known of the trace stands in the job's row.
    services.loading.load(user.user_id, job_id)

    assert {"POST /clean_data", "start spark run", "clean dataset", "cleaning", "load gold"} <= set(
        of_trace(spans(), request_id)
    )
    job = services.jobs.get(user.user_id, job_id)
    assert job is not None
    assert job.status is JobStatus.COMPLETED


def run_in_spark(services: Services, message: LargeBatchMessage) -> None:
    """What the Spark worker does with a message, but that pandas stands in for Spark."""
    engine = SmallBatchCleaner(services.bronze, services.lake, record_limit=1_000, byte_limit=1 << 20)
    cleaning = services._cleaning_with(engine)
    clean(
        cast("Services", SimpleNamespace(large_batch_cleaning=lambda _spark: cleaning)),
        cast("Any", None),
        message,
    )


def test_a_stranger_does_not_choose_the_ids(user: User, spans: Callable[[], list[ReadableSpan]]) -> None:
    chosen = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{chosen}-b7ad6b7169203331-01", "X-Request-Id": chosen}

    answer = user.api.post("/generate_raw", json={"dataCount": 1}, headers=headers)

    assert answer.headers["X-Request-Id"] != chosen
    assert of_trace(spans(), chosen) == {}


def test_who_asks_how_far_a_job_is_makes_no_spans(
    user: User, spans: Callable[[], list[ReadableSpan]]
) -> None:
    user.api.get("/jobs")
    user.api.get("/metrics")

    assert [span.name for span in spans() if span.name.startswith("GET")] == []


def test_an_attempt_that_fails_is_told_in_its_span_and_in_the_log(
    user: User,
    workers: Workers,
    settings: Settings,
    services: Services,
    spans: Callable[[], list[ReadableSpan]],
    function: Callable[[str, bytes], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    job_id, request_id = submitted(user, records=1)
    [body] = workers.take(settings.small_batch_queue)
    monkeypatch.setattr(services.lake, "write", lambda *_: 1 / 0)
    lines: list[dict[str, Any]] = []
    handler = logging.Handler()
    handler.setFormatter(JsonLines("functions"))
    handler.emit = lambda record: lines.append(json.loads(handler.format(record)))  # type: ignore[method-assign]
    logging.getLogger("backend").addHandler(handler)
    try:
        with caplog.at_level(logging.INFO), pytest.raises(ZeroDivisionError):
            function("transform_small_batch_queue", body)
    finally:
        logging.getLogger("backend").removeHandler(handler)

    worker = of_trace(spans(), request_id)["transform_small_batch_queue"]
    assert worker.status.status_code is StatusCode.ERROR
    [failed] = [line for line in lines if line["event"] == "transform_small_batch_queue failed"]
    assert failed["level"] == "error"
    assert failed["error"] == "ZeroDivisionError: division by zero"
    assert failed["service"] == "functions"
    assert (failed["job_id"], failed["request_id"]) == (job_id, request_id)
    assert failed["user"] == hashed(user.user_id)
    assert user.user_id not in json.dumps(lines)


def test_a_trace_parent_that_is_none_does_not_keep_a_job_from_its_work(
    user: User,
    workers: Workers,
    settings: Settings,
    spans: Callable[[], list[ReadableSpan]],
    function: Callable[[str, bytes], None],
) -> None:
    job_id, _ = submitted(user, records=1)
    [body] = workers.take(settings.small_batch_queue)
    message = json.loads(body) | {"traceParent": "nonsense"}

    function("transform_small_batch_queue", json.dumps(message).encode())

    assert user.api.get(f"/jobs/{job_id}").json["status"] == "completed"
    assert CleaningMessage.decode(json.dumps(message).encode()).trace_parent == "nonsense"


@pytest.fixture
def insights(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApplicationInsights]:
    with running_application_insights() as insights:
        for name, value in insights.settings.items():
            monkeypatch.setenv(name, value)
        yield insights


def test_application_insights_is_sent_a_trace_under_its_request_id(
    insights: ApplicationInsights,
) -> None:
    exporter = partial(azure_monitor_exporter, insights.connection_string, None)
    tracer = OpenTelemetryTracer("functions", exporter)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    traces.install(tracer)
    try:
        with traces.continued("transform_small_batch_queue", parent, delivery=1):
            traces.past_span("cleaning", 1.5)
        traces.flush()
    finally:
        traces.install(None)
        tracer.close()

    sent = {each["data"]["baseData"].get("name"): each for each in insights.taken}
    work, stage = sent["transform_small_batch_queue"], sent["cleaning"]
    assert work["tags"]["ai.operation.id"] == "0af7651916cd43dd8448eb211c80319c"
    assert work["tags"]["ai.operation.parentId"] == "b7ad6b7169203331"
    assert work["tags"]["ai.cloud.role"] == "functions"
    assert stage["tags"]["ai.operation.parentId"] == work["data"]["baseData"]["id"]
    assert stage["data"]["baseData"]["duration"] == "0.00:00:01.500"


def test_a_connection_string_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="APPLICATIONINSIGHTS_CONNECTION_STRING"):
        OpenTelemetryTracer("api", partial(azure_monitor_exporter, "InstrumentationKey=nonsense", None))
