"""`POST /clean_data` beside a bare queue send on the same Azurite, while no worker disturbs them."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median, quantiles

import requests
from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64EncodePolicy

from tests.benchmarks.service.standing_still import standing_still
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack

_CALLS, _WARM_UP = 400, 50
_CLIENTS = (1, 8, 32)
_SECONDS = 5.0
_ROUNDS = 5
# What a message of the small path comes to.
_BODY = "x" * 330


def lines(stack: RunningStack) -> list[str]:
    """The table's lines."""
    user = ApiUser(stack.url)
    answer = user.call("POST", "/upload_raw", data=b"[{}]", headers={"Content-Type": "application/json"})
    dataset = answer.json()["parentJobId"]
    service = QueueServiceClient.from_connection_string(stack.addresses.connection_string)
    service.create_queue("bare")
    with standing_still(stack):
        return [*_latency(service, user, dataset), *_rates(stack, service, dataset, user)]


def _latency(service: QueueServiceClient, user: ApiUser, dataset: str) -> list[str]:
    queue = _queue(service)
    sends: list[float] = []
    posts: list[float] = []
    for _ in range(_WARM_UP + _CALLS):
        sends.append(_timed(partial(queue.send_message, _BODY)))
        posts.append(_timed(partial(user.clean, parentJobId=dataset)))
    sends, posts = sends[_WARM_UP:], posts[_WARM_UP:]
    return [
        "| | bare queue send | `POST /clean_data` | times |",
        "|---|---|---|---|",
        _percentile(f"p50 of {_CALLS} calls, in turns", 50, sends, posts),
        _percentile("p99", 99, sends, posts),
    ]


def _percentile(title: str, percent: int, sends: Sequence[float], posts: Sequence[float]) -> str:
    send, post = (quantiles(each, n=100)[percent - 1] for each in (sends, posts))
    return f"| {title} | {send * 1000:.1f} ms | {post * 1000:.1f} ms | {post / send:.2f} |"


def _rates(stack: RunningStack, service: QueueServiceClient, dataset: str, user: ApiUser) -> Iterator[str]:
    for clients in _CLIENTS:
        sends = [partial(_queue(service).send_message, _BODY) for _ in range(clients)]
        posts = [partial(_post, _session(user), f"{stack.url}/clean_data", dataset) for _ in range(clients)]
        rounds = [(_rate(sends), _rate(posts)) for _ in range(_ROUNDS)]
        send, post = median(each[0] for each in rounds), median(each[1] for each in rounds)
        yield f"| calls a second, {clients} clients | {send:.0f} | {post:.0f} | {send / post:.2f} |"


def _session(user: ApiUser) -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {user.access_token}"
    return session


def _post(session: requests.Session, url: str, dataset: str) -> None:
    session.post(url, json={"parentJobId": dataset}, timeout=30).raise_for_status()


def _rate(calls: Sequence[Callable[[], object]]) -> float:
    """Calls a second when every client calls again as soon as it is answered."""
    end = time.perf_counter() + _SECONDS / _ROUNDS

    def until_the_end(call: Callable[[], object]) -> int:
        count = 0
        while time.perf_counter() < end:
            call()
            count += 1
        return count

    with ThreadPoolExecutor(len(calls)) as threads:
        return sum(threads.map(until_the_end, calls)) / (_SECONDS / _ROUNDS)


def _queue(service: QueueServiceClient) -> QueueClient:
    return service.get_queue_client("bare", message_encode_policy=TextBase64EncodePolicy())


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
