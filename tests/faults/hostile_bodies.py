"""Bodies that somebody sends to break the service: uploads, and jobs to clean.

They are made while they are sent, so that what is large costs nothing here.
"""

import gzip
import io
import itertools
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

_MEGABYTE = 1 << 20
_JSON = "application/json"
_CSV = "text/csv"
_PARQUET = "application/vnd.apache.parquet"
_UPLOAD = "/upload_raw"
_CLEAN = "/clean_data"

REFUSED = frozenset({400, 413})
TAKEN = frozenset({201})
EITHER = REFUSED | TAKEN

Content = Callable[[], Iterable[bytes] | bytes]


@dataclass(frozen=True)
class Body:
    """What is sent, how it calls itself, and what it may be answered."""

    name: str
    content: Content
    content_type: str = _JSON
    statuses: frozenset[int] = REFUSED
    path: str = _UPLOAD


def hostile_bodies(scale: int) -> list[Body]:
    """All of them; `scale` makes the large ones so many times as large, 100 for their full size."""
    return [
        *_compressed(scale),
        *_json(scale),
        *_many_values(scale),
        *_parquet_files(scale),
        *_lying_parquet(scale),
        *_csv(scale),
        *_forms(scale),
        *_jobs(scale),
    ]


def _compressed(scale: int) -> list[Body]:
    spaces, letters = b" " * _MEGABYTE, b"x" * _MEGABYTE
    small = gzip.compress(spaces)
    return [
        Body(f"gzip of {40 * scale} MB", lambda: _gzipped(_around(b"[", spaces, 40 * scale, b""))),
        Body("gzip of one long text", lambda: _gzipped(_around(b'["', letters, 40 * scale, b'"]'))),
        Body("gzip of white space", lambda: _gzipped(itertools.repeat(spaces, 40 * scale))),
        Body("gzip within gzip", lambda: _gzipped(_gzipped(_around(b"[", spaces, 40 * scale, b"")))),
        Body("gzip of many members", lambda: _around(gzip.compress(b"["), small, 40 * scale, b"")),
        Body("a truncated gzip", lambda: gzip.compress(b"[1]" * 1000)[:20]),
    ]


def _json(scale: int) -> list[Body]:
    letters, digits, spaces = b"x" * _MEGABYTE, b"7" * _MEGABYTE, b" " * _MEGABYTE
    return [
        Body("JSON 10,000 deep", lambda: b"[" * 10_000 + b"]" * 10_000),
        Body("objects 10,000 deep", lambda: b'[{"a":' * 10_000),
        Body(f"a field of {scale} MB", lambda: _around(b'[{"a":"', letters, scale, b'"}]'), statuses=EITHER),
        Body(f"a number of {scale * 10:,} million digits", lambda: _around(b"[", digits, scale * 10, b"]")),
        Body(f"{scale} MB of nothing", lambda: _around(b"", spaces, scale, b"x")),
        Body("invalid UTF-8", lambda: b'[{"a": "\xff\xfe"}]'),
        Body("an overlong encoding", lambda: b'[{"a": "\xc0\xaf"}]'),
        Body("lone surrogates", lambda: rb'[{"a": "\ud800", "\udfff": 1}]', statuses=TAKEN),
        Body("NaN and Infinity", lambda: b"[NaN, Infinity, -Infinity]"),
        Body("duplicate keys", lambda: b'[{"a": 1, "a": {"a": 2}}]', statuses=TAKEN),
        Body("1e400", lambda: b'[{"order": {"total": 1e400}}]', statuses=TAKEN),
        Body("nothing", lambda: b""),
        Body("a byte-order mark alone", lambda: b"\xef\xbb\xbf"),
    ]


def _many_values(scale: int) -> list[Body]:
    ones, arrays, letters = b"1," * (_MEGABYTE // 2), b"[]," * (_MEGABYTE // 3), b"x" * _MEGABYTE
    return [
        Body("an array without an end", lambda: _around(b"[", ones, -(-scale // 5), b"")),
        Body("many empty arrays", lambda: _around(b"[", b"[]," * 1_000, 20 * scale, b"[]]"), statuses=TAKEN),
        Body(
            "a text of 15 MB among brackets",
            lambda: _around(b"[[" + b"[]," * 600 + b'"', letters, 15, b'"]]'),
            statuses=TAKEN,
        ),
        Body("15 MB of empty arrays in a record", lambda: _around(b"[[", arrays, 15, b"1]]"), statuses=TAKEN),
    ]


def _parquet_files(scale: int) -> list[Body]:
    whole = _parquet(pa.table({"order.id": [f"o-{number}" for number in range(1000)]}))
    return [
        Body("truncated Parquet", lambda: whole[:-20], _PARQUET),
        Body("Parquet without its end", lambda: whole[:-4] + b"XXXX", _PARQUET),
        Body("Parquet with flipped bytes", lambda: _flipped(whole), _PARQUET),
        Body(f"Parquet of {8 * scale} MB", lambda: _repeated_text(8 * scale, 1), _PARQUET, EITHER),
        Body("Parquet of long texts", lambda: _repeated_text(200, 15), _PARQUET),
        Body(f"a Parquet cell of {4 * scale} MB", lambda: _long_cell(4 * scale), _PARQUET),
        Body(f"a Parquet list of {scale} million", lambda: _long_list(scale), _PARQUET, EITHER),
    ]


def _lying_parquet(scale: int) -> list[Body]:
    whole = _parquet(pa.table({"n": list(range(1000))}), use_dictionary=False)
    footer = struct.unpack("<I", whole[-8:-4])[0]
    return [
        Body("Parquet with a footer of 2 GB", lambda: whole[:-8] + b"\xff\xff\xff\x7fPAR1", _PARQUET),
        Body("Parquet with a page of 2 GB", lambda: _page_of_two_gigabytes(whole), _PARQUET),
        Body("Parquet of 10**12 rows", lambda: _endless_rows(whole, footer), _PARQUET, EITHER),
    ]


def _csv(scale: int) -> list[Body]:
    columns = b",".join(b"c%d" % number for number in range(1_000_000))
    letters, lines = b"x" * _MEGABYTE, b"x\n" * (_MEGABYTE // 2)
    formulas = b'order.id,user.name\n=cmd|x,"@SUM(A1)"\n+1,-1\n'
    return [
        Body("CSV with formulas", lambda: formulas, _CSV, TAKEN),
        Body("CSV with NULs", lambda: b"order.id,user.name\no-1,\x00\x00\n", _CSV, EITHER),
        Body("CSV of a million columns", lambda: columns + b"\n1\n", _CSV),
        Body(f"a CSV line of {scale} MB", lambda: _around(b"a\n", letters, scale, b""), _CSV),
        Body("a quote that is never closed", lambda: _around(b'a\n"', lines, scale, b""), _CSV),
    ]


def _forms(scale: int) -> list[Body]:
    form = "multipart/form-data; boundary=b"
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n['
    field = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'
    ones = b"1," * (_MEGABYTE // 2)
    return [
        Body("multipart that never ends", lambda: _around(head, ones, scale, b""), form),
        Body("multipart without a file", lambda: b"--b--\r\n", form),
        Body("multipart without a boundary", lambda: b"[1]", "multipart/form-data"),
        Body("a form of a thousand fields", lambda: field * 1000 + b"--b--\r\n", form),
    ]


def _jobs(scale: int) -> list[Body]:
    letters, accepted = b"x" * _MEGABYTE, frozenset({202})
    keys = b",".join(b'"%d":1' % number for number in range(50_000))
    bodies: list[tuple[str, Content, frozenset[int]]] = [
        ("10,000 deep", lambda: b'{"a":' * 10_000, REFUSED),
        ("with a count of a million digits", lambda: b'{"dataCount":' + b"7" * 1_000_000 + b"}", REFUSED),
        ("with a count of 1e400", lambda: b'{"dataCount": 1e400}', REFUSED),
        ("with NaN", lambda: b'{"dataCount": NaN}', REFUSED),
        ("with invalid UTF-8", lambda: b'{"dataCount": 1, "jobName": "\xff"}', REFUSED),
        ("with lone surrogates", lambda: rb'{"dataCount": 1, "jobName": "\ud800"}', REFUSED),
        ("with a name of a megabyte", lambda: b'{"dataCount": 1, "jobName": "%b"}' % letters[:-50], REFUSED),
        ("with duplicate keys", lambda: b'{"dataCount": 0, "dataCount": 1}', accepted),
        ("with 50,000 other keys", lambda: b'{"dataCount": 1,%b}' % keys, accepted),
        ("as gzip", lambda: gzip.compress(b'{"dataCount": 1}'), REFUSED),
        (f"of {scale} MB", lambda: _around(b'{"a": "', letters, scale, b'"}'), REFUSED),
    ]
    return [
        Body(f"a job {name}", content, statuses=statuses, path=_CLEAN) for name, content, statuses in bodies
    ]


def _around(begin: bytes, piece: bytes, times: int, end: bytes) -> Iterator[bytes]:
    yield from (part for part in itertools.chain([begin], itertools.repeat(piece, times), [end]) if part)


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(1, wbits=31)
    for piece in pieces:
        if packed := compressor.compress(piece):
            yield packed
    yield compressor.flush()


def _parquet(table: pa.Table, *, use_dictionary: bool = True) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd", use_dictionary=use_dictionary, write_statistics=False)
    return file.getvalue()


def _repeated_text(rows: int, megabytes: int) -> bytes:
    text = pa.array(["x" * (megabytes * _MEGABYTE)])
    return _parquet(pa.table({"a": pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), text)}))


def _long_cell(megabytes: int) -> bytes:
    return _parquet(pa.table({"a": ["x" * (megabytes * _MEGABYTE)]}), use_dictionary=False)


def _long_list(millions: int) -> bytes:
    values = pa.nulls(millions * 1_000_000, pa.int8())
    return _parquet(pa.table({"a": pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)}))


def _flipped(content: bytes) -> bytes:
    flipped = bytes(255 - byte if place % 7 == 3 else byte for place, byte in enumerate(content[:-8]))
    return flipped + content[-8:]


def _page_of_two_gigabytes(whole: bytes) -> bytes:
    # The first page's header begins with its type; the size of its content follows, in Thrift's compact form.
    size = len(b"PAR1\x15\x00\x15")
    end = next(place for place in itertools.count(size) if whole[place] < 0x80) + 1
    return whole[:size] + b"\xfe\xff\xff\xff\x0f" + whole[end:]


def _endless_rows(whole: bytes, footer_size: int) -> bytes:
    # 1,000 and 10**12 in Thrift's compact form.
    footer = whole[-8 - footer_size : -8].replace(b"\xd0\x0f", b"\x80\xc0\xca\xf3\x84\xa3\x02")
    return whole[: -8 - footer_size] + footer + struct.pack("<I", len(footer)) + b"PAR1"
