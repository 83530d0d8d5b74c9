"""`python -m backend submit`: send records to be cleaned, and watch if asked to."""

import argparse
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from uuid import uuid4

from backend.client.api_client import ApiClient, Content, Json
from backend.client.errors import ServiceError
from backend.command_line import CommandFailed, ExitStatus, tell_error
from backend.commands.printing import print_json, visible
from backend.commands.service_access import add_service_arguments, connect
from backend.commands.status import rows_of
from backend.commands.watching import add_watch_arguments, require_good_end, shown_reading, watched

EXAMPLES = (
    "submit orders.csv",
    "submit monday.jsonl.gz tuesday.parquet --watch --json",
    "submit --sample 1000 --error-rate 0.1 --seed 7 --watch --timeout 600",
    "submit - --name Night < orders.csv",
)

_STDIN = "-"
_MEDIA_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
}
_UNKNOWN_MEDIA_TYPE = "application/octet-stream"
_PIECE_BYTES = 1 << 20
_LONGEST_NAME = 200
# After these the next file would fare no better.
_HOPELESS = frozenset({"unreachable", "not_logged_in", "token_expired", "token_invalid", "unexpected_answer"})


@dataclass(frozen=True, slots=True)
class _Source:
    """What a job is to be made of.

    Attributes:
        file: what was uploaded for it, as the user called it.
        request: the body of `/clean_data`.
    """

    file: str | None
    request: Json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="JSON, JSON Lines, CSV or Parquet, plain or gzip; - is stdin. Each becomes a job",
    )
    parser.add_argument("--sample", metavar="N", type=int, help="clean N generated records instead")
    parser.add_argument("--error-rate", metavar="SHARE", type=float, help="of them that are broken, 0 to 1")
    parser.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same records")
    parser.add_argument("--dataset", metavar="ID", help="clean a dataset that the service has already")
    parser.add_argument("--name", help="what you call the job (default: the file's name)")
    add_watch_arguments(parser)
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print the ids of the jobs on stdout, one a line, and what becomes of them on stderr.

    A file that the service refuses keeps no other one back; then the exit status is 1.
    """
    _check_usage(arguments, parser)
    api = connect(arguments)
    submitted: list[Json] = []
    try:
        all_taken = _submit_all(api, arguments, submitted)
        if arguments.watch:
            _watch_all(api, arguments, submitted)
    finally:
        # Whatever happens, who sent records gets to know which jobs there are.
        if arguments.json:
            print_json({"jobs": submitted})
    if not all_taken:
        return ExitStatus.FAILED
    if arguments.watch:
        require_good_end([entry["job"] for entry in submitted])
    return ExitStatus.DONE


def _submit_all(api: ApiClient, arguments: argparse.Namespace, submitted: list[Json]) -> bool:
    """Add what was taken to `submitted`; whether that is all."""
    # Asked for first: once there is a job, nothing may keep its id back.
    threshold = api.get("/routing_config")["threshold"]
    all_taken = True
    for make in _sources(api, arguments):
        try:
            submitted.append(_submit(api, make(), threshold, arguments))
        except (CommandFailed, ServiceError) as error:
            tell_error("submit", error.code, str(error), as_json=arguments.json)
            all_taken = False
            if error.code in _HOPELESS:
                break
    return all_taken


def _watch_all(api: ApiClient, arguments: argparse.Namespace, submitted: list[Json]) -> None:
    for entry in submitted:
        job = entry["job"] = watched(api, entry["jobId"], arguments)
        if not arguments.json:
            records = f"records {rows_of(job)}"
            print(f"{visible(job['jobName'])}: {job['status']}, {records}", file=sys.stderr)


def _check_usage(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    chosen = [bool(arguments.files), arguments.sample is not None, arguments.dataset is not None]
    if sum(chosen) != 1:
        parser.error("give one of FILE, --sample and --dataset")
    if arguments.sample is None and (arguments.error_rate is not None or arguments.seed is not None):
        parser.error("--error-rate and --seed go with --sample")
    if arguments.files.count(_STDIN) > 1:
        parser.error("stdin can be read once")


def _sources(api: ApiClient, arguments: argparse.Namespace) -> Iterator[Callable[[], _Source]]:
    if arguments.sample is not None:
        yield partial(_sample, api, arguments)
    elif arguments.dataset is not None:
        yield lambda: _Source(None, {"parentJobId": arguments.dataset})
    for file in arguments.files:
        yield partial(_uploaded, api, file)


def _sample(api: ApiClient, arguments: argparse.Namespace) -> _Source:
    if arguments.error_rate is None and arguments.seed is None:
        return _Source(None, {"dataCount": arguments.sample})
    wishes = {"dataCount": arguments.sample, "errorRate": arguments.error_rate, "seed": arguments.seed}
    answer = api.post("/generate_raw", {name: wish for name, wish in wishes.items() if wish is not None})
    return _Source(None, {"parentJobId": answer["parentJobId"]})


def _uploaded(api: ApiClient, file: str) -> _Source:
    name = PurePath(file).name
    media_type = _MEDIA_TYPES.get(PurePath(name.removesuffix(".gz")).suffix, _UNKNOWN_MEDIA_TYPE)
    try:
        with _opened(file) as content:
            answer = api.upload(content, media_type)
    except OSError as error:
        raise CommandFailed("file_error", f"{file}: {error.strerror or error}") from error
    except ServiceError as error:
        raise ServiceError(error.code, f"{file}: {error}") from error
    request = {"parentJobId": answer["parentJobId"]}
    if file != _STDIN:
        request["jobName"] = visible(name)[:_LONGEST_NAME]
    return _Source(file, request)


@contextmanager
def _opened(file: str) -> Iterator[Content]:
    with sys.stdin.buffer if file == _STDIN else Path(file).open("rb") as stream:
        facts = os.fstat(stream.fileno())
        if stat.S_ISREG(facts.st_mode):
            with shown_reading(stream, facts.st_size) as content:
                yield content
        else:
            # Of a pipe nobody knows the length.
            yield iter(partial(stream.read, _PIECE_BYTES), b"")


def _submit(api: ApiClient, source: _Source, threshold: int, arguments: argparse.Namespace) -> Json:
    request = source.request | ({} if arguments.name is None else {"jobName": arguments.name})
    try:
        answer = api.post("/clean_data", request, idempotency_key=uuid4().hex)
    except ServiceError as error:
        if source.file is None:
            raise
        kept = f"its records are kept as dataset {request['parentJobId']}, for --dataset"
        raise ServiceError(error.code, f"{source.file}: {error} ({kept})") from error
    reason = _reason(answer, threshold)
    if not arguments.json:
        print(answer["jobId"], flush=True)
        file = "" if source.file is None else f"{visible(source.file)}: "
        print(
            f"{file}{answer['processingPath']}, as {reason}; expected in {answer['expectedProcessingTime']}",
            file=sys.stderr,
        )
    return {"file": source.file, **answer, "reason": reason}


def _reason(answer: Json, threshold: int) -> str:
    count = answer["recordCount"]
    records = "1 record is" if count == 1 else f"{count:,} records are"
    return f"{records} {'at most' if count <= threshold else 'more than'} {threshold:,}"
