"""Plays the host for Microsoft's Python worker library: load an app, then call one of its functions.

Run as a program with the library, the project and the app's folder on PYTHONPATH:

    python functions_worker_session.py APP_FOLDER FUNCTION_NAME DEQUEUE_COUNT < BODY

It prints one JSON object. The host and its workers talk in protocol buffers, for which the library takes
anything with the same fields: https://github.com/Azure/azure-functions-language-worker-protobuf.
"""

import asyncio
import json
import sys
from types import SimpleNamespace
from typing import Any

from azure_functions_runtime import (
    function_load_request,
    functions_metadata_request,
    invocation_request,
    worker_init_request,
)


class Message(SimpleNamespace):
    """Any message of the protocol."""


class StatusResult(Message):
    """How a request went."""

    Failure = "failure"
    Success = "success"


class BindingInfo(Message):
    """One binding of a function."""

    undefined = 0
    out = 1
    inout = 2


class TypedData(Message):
    """One value; `kind` says in which of the fields it is."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protocol buffers' name
        return str(self.kind)


class ParameterBinding(Message):
    """The value of one parameter."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protocol buffers' name
        return "data"


PROTOCOL = SimpleNamespace(
    BindingInfo=BindingInfo,
    FunctionLoadResponse=Message,
    FunctionMetadataResponse=Message,
    InvocationResponse=Message,
    RpcException=Message,
    RpcFunctionMetadata=Message,
    RpcHttp=Message,
    StatusResult=StatusResult,
    TypedData=Message,
    WorkerInitResponse=Message,
    WorkerMetadata=Message,
)


def request(**kind: Message) -> Message:
    return Message(request=Message(**kind), properties={"host": "127.0.0.1", "protos": PROTOCOL})


def text(value: str) -> TypedData:
    return TypedData(kind="string", string=value)


def as_json(value: Any) -> TypedData:
    return TypedData(kind="json", json=json.dumps(value))


def invocation(function: Message, body: str, dequeue_count: int) -> Message:
    """A call of a function, as Azure's host makes it for its trigger."""
    parameter, binding = next(
        (name, binding) for name, binding in function.bindings.items() if binding.type.endswith("Trigger")
    )
    if binding.type == "httpTrigger":
        data, metadata = http_request(body), {}
    else:
        data, metadata = text(body), queue_metadata(dequeue_count)
    return Message(
        invocation_id="00000000-0000-0000-0000-000000000001",
        function_id=function.function_id,
        input_data=[ParameterBinding(name=parameter, data=data)],
        trigger_metadata=metadata,
        trace_context=Message(trace_parent="", trace_state="", attributes={}),
        retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
    )


def http_request(body: str) -> TypedData:
    http = Message(method="POST", url="http://localhost", headers={}, params={}, query={}, body=text(body))
    return TypedData(kind="http", http=http)


def queue_metadata(dequeue_count: int) -> dict[str, TypedData]:
    """What comes with a queue's message, whose body is decoded."""
    return {
        "Id": text("00000000-0000-0000-0000-000000000002"),
        "DequeueCount": as_json(dequeue_count),
        "InsertionTime": as_json("2026-11-22T21:00:00+00:00"),
        "ExpirationTime": as_json("2026-11-29T21:00:00+00:00"),
        "NextVisibleTime": as_json("2026-11-22T21:10:00+00:00"),
        "PopReceipt": text("receipt"),
    }


def outcome(response: Message) -> dict[str, Any]:
    exception = getattr(response.result, "exception", None)
    return {"status": response.result.status, "error": exception.message if exception else None}


def returned(response: Message) -> dict[str, Any] | None:
    """What an HTTP function answered; None for any other, and when it failed."""
    value = getattr(response, "return_value", None)
    if value is None:
        return None
    answer = value.http
    return {
        "status": int(answer.status_code),
        "type": answer.headers["content-type"],
        "body": answer.body.bytes.decode(),
    }


async def session(app_folder: str, function_name: str, dequeue_count: int, body: str) -> dict[str, Any]:
    init = Message(capabilities={}, function_app_directory=app_folder)
    initialised = await worker_init_request(request(worker_init_request=init))
    metadata = await functions_metadata_request(request())
    functions = {function.name: function for function in metadata.function_metadata_results or ()}
    function = functions[function_name]
    load = Message(function_id=function.function_id)
    loaded = await function_load_request(request(function_load_request=load))
    call = invocation(function, body, dequeue_count)
    called = await invocation_request(request(invocation_request=call))
    return {
        "backend": sys.modules["backend"].__file__,
        "init": outcome(initialised),
        "functions": {
            name: [json.loads(raw) for raw in each.raw_bindings] for name, each in functions.items()
        },
        "load": outcome(loaded),
        "invocation": outcome(called),
        "returned": returned(called),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(session(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.stdin.read()))))  # noqa: T201
