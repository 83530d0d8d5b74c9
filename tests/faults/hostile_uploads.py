"""Uploads that somebody sends to break the service, and what they cost the process that takes them.

The bodies are made while they are sent, so that what is large costs nothing here.
"""

import gzip
import io
import itertools
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import requests

from backend.bootstrap import Services, build_services
from backend.settings import Settings
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack
from tests.faults.findings import Finding, record

MOST_MEGABYTES = 450
"""By how much the API's process may grow over what it has at rest, whatever is sent."""

MOST_SECONDS = 300
ALLOWED = frozenset({201, 400, 413, 415})

_MEGABYTE = 1 << 20
_JSON = "application/json"
_CSV = "text/csv"
_PARQUET = "application/vnd.apache.parquet"

Body = Callable[[], Iterable[bytes] | bytes]


@dataclass(frozen=True)
class Upload:
    """A body, how it calls itself, and what it may be answered."""

    name: str
    body: Body
    content_type: str = _JSON
    status: frozenset[int] = ALLOWED


@dataclass(frozen=True)
class Answered:
    """What became of an upload. `megabytes` is how much the process grew at its peak."""

    upload: Upload
    status: int
    seconds: float
    megabytes: float


REFUSED = frozenset({400, 413})
TAKEN = frozenset({201})


def corpus(scale: int) -> list[Upload]:
    """Every hostile upload; `scale` makes the large ones so many times as large, 100 for their full size."""
    return [*_compressed(scale), *_json(scale), *_parquet_files(scale), *_csv(scale), *_forms(scale)]


def _compressed(scale: int) -> list[Upload]:
    spaces = b" " * _MEGABYTE
    return [
        Upload("a gzip bomb", lambda: _gzipped(itertools.repeat(spaces, 40 * scale)), status=REFUSED),
        Upload("gzip within gzip", lambda: gzip.compress(gzip.compress(b"[1]")), status=REFUSED),
        Upload(
            "a gzip bomb of many members",
            lambda: itertools.repeat(gzip.compress(spaces), 40 * scale),
            status=REFUSED,
        ),
        Upload("a truncated gzip", lambda: gzip.compress(b"[1]" * 1000)[:20], status=REFUSED),
    ]


def _json(scale: int) -> list[Upload]:
    letters, digits, spaces, ones = (
        b"x" * _MEGABYTE,
        b"7" * _MEGABYTE,
        b" " * _MEGABYTE,
        b"1," * (_MEGABYTE // 2),
    )
    return [
        Upload("JSON 10,000 deep", lambda: b"[" * 10_000 + b"]" * 10_000, status=REFUSED),
        Upload("objects 10,000 deep", lambda: b'[{"a":' * 10_000, status=REFUSED),
        Upload(f"a field of {scale} MB", lambda: _around(b'[{"a":"', letters, scale, b'"}]')),
        Upload(f"a number of {scale * 10:,} million digits", lambda: _around(b"[", digits, scale * 10, b"]")),
        Upload(f"{scale} MB of nothing", lambda: _around(b"", spaces, scale, b"x"), status=REFUSED),
        Upload("invalid UTF-8", lambda: b'[{"a": "\xff\xfe"}]', status=REFUSED),
        Upload("an overlong encoding", lambda: b'[{"a": "\xc0\xaf"}]', status=REFUSED),
        Upload("lone surrogates", lambda: rb'[{"a": "\ud800", "\udfff": 1}]'),
        Upload("NaN and Infinity", lambda: b"[NaN, Infinity, -Infinity]", status=REFUSED),
        Upload("duplicate keys", lambda: b'[{"a": 1, "a": {"a": 2}}]', status=TAKEN),
        Upload("1e400", lambda: b'[{"order": {"total": 1e400}}]', status=TAKEN),
        Upload(
            f"an array of {scale} MB without an end", lambda: _around(b"[", ones, scale, b""), status=REFUSED
        ),
        Upload("a million empty arrays", lambda: b"[" + b"[]," * 1_000_000 + b"[]]", status=TAKEN),
        Upload("nothing", lambda: b"", status=REFUSED),
        Upload("a byte-order mark alone", lambda: b"\xef\xbb\xbf", status=REFUSED),
    ]


def _parquet_files(scale: int) -> list[Upload]:
    whole = _parquet()
    return [
        Upload("truncated Parquet", lambda: whole[:-20], _PARQUET, REFUSED),
        Upload("Parquet without its end", lambda: whole[:-4] + b"XXXX", _PARQUET, REFUSED),
        Upload(
            "Parquet with a footer of 2 GB", lambda: whole[:-8] + b"\xff\xff\xff\x7fPAR1", _PARQUET, REFUSED
        ),
        Upload("Parquet with flipped bytes", lambda: _flipped(whole), _PARQUET, REFUSED),
        Upload("a Parquet bomb", lambda: _parquet_bomb(scale), _PARQUET),
    ]


def _csv(scale: int) -> list[Upload]:
    columns = b",".join(b"c%d" % number for number in range(1_000_000))
    letters, lines = b"x" * _MEGABYTE, b"x\n" * (_MEGABYTE // 2)
    formulas = b'order.id,user.name\n=cmd|x,"@SUM(A1)"\n+1,-1\n'
    return [
        Upload("CSV with formulas", lambda: formulas, _CSV, TAKEN),
        Upload("CSV with NULs", lambda: b"order.id,user.name\no-1,\x00\x00\n", _CSV),
        Upload("CSV of a million columns", lambda: columns + b"\n1\n", _CSV),
        Upload(f"a CSV line of {scale} MB", lambda: _around(b"a\n", letters, scale, b""), _CSV),
        Upload("a quote that is never closed", lambda: _around(b'a\n"', lines, scale, b""), _CSV),
    ]


def _forms(scale: int) -> list[Upload]:
    form = "multipart/form-data; boundary=b"
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n['
    field = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'
    ones = b"1," * (_MEGABYTE // 2)
    return [
        Upload("multipart that never ends", lambda: _around(head, ones, scale, b""), form, REFUSED),
        Upload("multipart without a file", lambda: b"--b--\r\n", form, REFUSED),
        Upload("multipart without a boundary", lambda: b"[1]", "multipart/form-data", REFUSED),
        Upload("a form of a thousand fields", lambda: field * 1000 + b"--b--\r\n", form, REFUSED),
    ]


def send_all(folder: Path, scale: int) -> list[Answered]:
    """Send the whole corpus to the API of a stack; every refused upload leaves nothing in Bronze."""
    with RunningStack(folder / "state") as stack:
        stack.wait_ready()
        api = next(each for each in stack.processes() if "serve" in each.cmdline())
        user = ApiUser(stack.url)
        services = build_services(
            Settings.from_environment({"AZURE_STORAGE_CONNECTION_STRING": stack.addresses.connection_string})
        )
        # What is loaded with the first upload is no one's fault.
        user.upload([{"order": {"id": "o-1"}}])
        rest = _resident(api)
        answered = [_send(user, api, rest, upload) for upload in corpus(scale)]
        taken = sum(each.status == 201 for each in answered) + 1
        assert len(_datasets(services, user.user_id)) == taken
        assert user.call("GET", "/readyz").status_code == 200
        user.close()
    return answered


def _send(user: ApiUser, api: psutil.Process, rest: float, upload: Upload) -> Answered:
    # From here on the kernel notes the peak anew.
    Path(f"/proc/{api.pid}/clear_refs").write_text("5")
    headers = {"Content-Type": upload.content_type}
    began = time.monotonic()
    try:
        status = user.call(
            "POST", "/upload_raw", data=upload.body(), headers=headers, timeout=MOST_SECONDS
        ).status_code
    except requests.ConnectionError:
        # The connection is closed while the body is still being sent: that is how a server refuses the rest.
        status = 413
    return Answered(upload, status, time.monotonic() - began, _peak(api) - rest)


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / _MEGABYTE


def _peak(process: psutil.Process) -> float:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    [kilobytes] = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return kilobytes / 1024


def _datasets(services: Services, user_id: str) -> set[str]:
    return {file.path.split("/")[1] for file in services.bronze.list_files(user_id)}


def _around(begin: bytes, piece: bytes, times: int, end: bytes) -> Iterator[bytes]:
    yield begin
    yield from itertools.repeat(piece, times)
    yield end


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(9, wbits=31)
    for piece in pieces:
        if packed := compressor.compress(piece):
            yield packed
    yield compressor.flush()


def _parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"order.id": [f"o-{number}" for number in range(1000)]}), file)
    return file.getvalue()


def _parquet_bomb(scale: int) -> bytes:
    file = io.BytesIO()
    text = pa.array(["x" * _MEGABYTE]).dictionary_encode()
    rows = pa.DictionaryArray.from_arrays(pa.array([0] * (40 * scale), pa.int32()), text.dictionary)
    pq.write_table(pa.table({"a": rows}), file, compression="zstd")
    return file.getvalue()


def _flipped(content: bytes) -> bytes:
    flipped = bytes(255 - byte if place % 7 == 3 else byte for place, byte in enumerate(content[:-8]))
    return flipped + content[-8:]


def send_hostile_uploads(folder: Path, *, scale: int) -> list[Answered]:
    """Send them, and record what they cost."""
    answered = send_all(folder, scale)
    slowest = max(answered, key=lambda each: each.seconds)
    largest = max(answered, key=lambda each: each.megabytes)
    taken = sum(each.status == 201 for each in answered)
    outcome = (
        f"{len(answered) - taken} refused with nothing left in Bronze, {taken} taken;"
        f" the slowest took {slowest.seconds:.1f} s ({slowest.upload.name}),"
        f" the API grew by {largest.megabytes:.0f} MB at most ({largest.upload.name})"
    )
    record(Finding("Bad input", "uploads made to break the service", len(answered), outcome))
    return answered
