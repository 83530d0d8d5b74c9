"""A function app that writes down each of its calls and does what the message says."""

import json
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import azure.functions as func

app = func.FunctionApp()

_PAUSE = threading.Event()


def _record(call: str, **details: Any) -> None:
    with Path(os.environ["RECORDS"]).open("a") as records:
        records.write(json.dumps({"call": call, "process": os.getpid(), **details}) + "\n")


def _obey(body: dict[str, Any], dequeue_count: int) -> None:
    if "until" in body:
        while not Path(body["until"]).exists():
            _PAUSE.wait(0.02)
    if body.get("fail") == "always":
        raise ValueError("told to fail")
    if body.get("exit") == dequeue_count:
        os._exit(3)
    if body.get("hang") == dequeue_count:
        _PAUSE.wait()


@app.queue_trigger(arg_name="message", queue_name="%RECORDING_QUEUE%", connection="TEST_STORAGE")
def record_message(message: func.QueueMessage) -> None:
    body = message.get_body().decode()
    inserted: datetime | None = message.insertion_time
    _record(
        "message",
        body=body,
        id=message.id,
        dequeue_count=message.dequeue_count,
        inserted=inserted.isoformat() if inserted else None,
    )
    _obey(json.loads(body), message.dequeue_count or 0)


@app.queue_trigger(arg_name="message", queue_name="%ASYNC_QUEUE%", connection="TEST_STORAGE")
async def record_message_async(message: func.QueueMessage) -> None:
    _record("async message", body=message.get_body().decode())


@app.timer_trigger(arg_name="timer", schedule="%TIMER_SCHEDULE%", run_on_startup=False)
def record_time(timer: func.TimerRequest) -> None:
    _record("timer", past_due=timer.past_due)


@app.route(route="greetings/{name}", methods=["GET", "POST"])
def greet(req: func.HttpRequest) -> func.HttpResponse:
    answer = {
        "name": req.route_params["name"],
        "method": req.method,
        "from": req.params.get("from"),
        "body": req.get_body().decode(),
        "language": req.headers.get("accept-language"),
    }
    return func.HttpResponse(
        json.dumps(answer), status_code=201, mimetype="application/json", headers={"X-Greeting": "yes"}
    )


@app.route(route="fail", methods=["GET"])
def fail(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError(f"a secret of the inside, {req.method}")


@app.warm_up_trigger(arg_name="context")
def warmup(context: Any) -> None:
    _record("warm-up")
    if "WARM_UP_FAILS" in os.environ:
        raise ValueError("told to fail")
