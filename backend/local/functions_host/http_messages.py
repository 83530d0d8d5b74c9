"""Between the host's HTTP values and those of the Functions library."""

from typing import Any

import azure.functions as func
from azure.functions.http import HttpRequest

from backend.local.functions_host.invocations import HttpAnswer, HttpInvocation


def to_http_request(invocation: HttpInvocation) -> func.HttpRequest:
    """The request as a function takes it."""
    return HttpRequest(
        invocation.method,
        invocation.url,
        headers=invocation.headers,
        params=invocation.params,
        route_params=invocation.route_params,
        body_type="bytes",
        body=invocation.body,
    )


def to_answer(returned: Any) -> HttpAnswer:
    """What a function returned, as the host sends it: a response, a text, or nothing (204)."""
    if returned is None:
        return HttpAnswer(204, [], b"")
    if not isinstance(returned, func.HttpResponse):
        return HttpAnswer(200, [("Content-Type", "text/plain; charset=utf-8")], str(returned).encode())
    headers = list(returned.headers.items())
    if "content-type" not in returned.headers:
        charset = f"; charset={returned.charset}" if returned.mimetype.startswith("text/") else ""
        headers.append(("Content-Type", f"{returned.mimetype}{charset}"))
    return HttpAnswer(returned.status_code, headers, returned.get_body())
