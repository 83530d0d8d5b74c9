import gzip
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.errors import InvalidRequest, TooLarge
from backend.services.record_readers import limits
from backend.services.record_readers.formats import RecordFormat, detect_format, hinted_format, read_records
from backend.services.record_readers.json_array import read_json_array
from backend.transformations.bronze import BronzePart, decode
from backend.transformations.order_lines import ORDER_LINES

MEGABYTE = 1 << 20

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def texts(content: bytes, **hints: str) -> list[str]:
    return [record.decode() for record in read_records(io.BytesIO(content), MEGABYTE, **hints)]


def values(content: bytes, **hints: str) -> list[Any]:
    return [json.loads(text) for text in texts(content, **hints)]


def refusal(content: bytes, **hints: str) -> str:
    with pytest.raises(InvalidRequest) as caught:
        texts(content, **hints)
    assert caught.value.code == "unreadable_input"
    return str(caught.value)


def parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


class OneByteAtATime(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 1))


class TestFormat:
    @pytest.mark.parametrize(
        ("head", "expected"),
        [
            (b"PAR1\x15\x04", RecordFormat.PARQUET),
            (b"[", RecordFormat.JSON_ARRAY),
            (b" \r\n\t[1]", RecordFormat.JSON_ARRAY),
            (b"\xef\xbb\xbf[1]", RecordFormat.JSON_ARRAY),
            (b'{"a": 1}', RecordFormat.JSON_LINES),
            (b"order.id,user.id\n", RecordFormat.CSV),
            (b'"order.id","user.id"\n', RecordFormat.CSV),
        ],
    )
    def test_follows_from_the_first_bytes(self, head: bytes, expected: RecordFormat) -> None:
        assert detect_format(head, None) is expected

    @pytest.mark.parametrize(
        ("content_type", "filename", "expected"),
        [
            ("application/x-ndjson; charset=utf-8", None, RecordFormat.JSON_LINES),
            ("application/json", "orders.jsonl", RecordFormat.JSON_LINES),
            (None, "ORDERS.JSONL.GZ", RecordFormat.JSON_LINES),
            ("application/octet-stream", "orders", None),
            (None, None, None),
        ],
    )
    def test_is_hinted_at_by_name_and_media_type(
        self, content_type: str | None, filename: str | None, expected: RecordFormat | None
    ) -> None:
        assert hinted_format(content_type, filename) is expected

    def test_of_lines_that_are_arrays_follows_from_the_hint(self) -> None:
        assert values(b"[1]\n[2]\n", filename="lines.jsonl") == [[1], [2]]

    @pytest.mark.parametrize(
        ("content", "place"), [(b"", "byte 0"), (b" \n ", "byte 3"), (gzip.compress(b"", mtime=0), "byte 0")]
    )
    def test_needs_content(self, content: bytes, place: str) -> None:
        assert refusal(content) == f"{place}: there is nothing but white space so far"


class TestJsonArray:
    def test_gives_each_element_as_it_is_spelled(self) -> None:
        content = b'[{"a": 1e400, "b":-0}, {"c": 123456789012345678901234567890, "a":1, "a":2.50}, null]'
        assert texts(content) == [
            '{"a": 1e400, "b":-0}',
            '{"c": 123456789012345678901234567890, "a":1, "a":2.50}',
            "null",
        ]

    def test_keeps_lone_surrogates_and_integers_of_any_length(self) -> None:
        element = '["\\ud800", ' + "7" * 4_301 + "]"
        assert texts(f"[{element}]".encode()) == [element]

    def test_may_be_empty(self) -> None:
        assert texts(b" [ \n] ") == []

    def test_may_begin_with_a_byte_order_mark(self) -> None:
        assert texts(b"\xef\xbb\xbf[1]") == ["1"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"[1, 2", "byte 5: expecting ',' or ']'"),
            (b"[1, ]", "byte 4: expecting value"),
            (b"[1 2]", "byte 3: expecting ',' or ']'"),
            (b"[1] [2]", "byte 4: something follows the array"),
            (b'["\xc3\xa9", nul]', "byte 7: expecting value"),
            (b"[NaN]", "byte 1: the constant NaN is no JSON value"),
            (b"[-Infinity]", "byte 1: the constant -Infinity is no JSON value"),
            (b'["a\nb"]', "byte 3: invalid control character at"),
            (b'[{"a": 1', "byte 8: expecting ',' delimiter"),
            (b'["abc', "byte 1: unterminated string starting at"),
            (b'["\xff"]', "byte 2: invalid UTF-8"),
            (b'["\xc3', "byte 2: invalid UTF-8"),
            (b"[\x001]", "byte 1: expecting value"),
        ],
    )
    def test_names_the_byte_at_which_it_stops_making_sense(self, content: bytes, message: str) -> None:
        assert refusal(content) == message

    def test_counts_bytes_across_pieces_and_the_byte_order_mark(self) -> None:
        content = b"\xef\xbb\xbf[" + '"é",'.encode() * 100 + b"?]"
        with pytest.raises(InvalidRequest, match=r"^byte 504: "):
            list(read_json_array(io.BufferedReader(io.BytesIO(content)), piece_bytes=7))

    def test_takes_records_nested_to_511_and_no_deeper(self) -> None:
        deepest = b"[" + b"[" * 511 + b"]" * 511 + b"]"
        assert len(texts(deepest)) == 1
        part = BronzePart("00000.json", deepest)
        assert decode(part, ORDER_LINES).records_in == 1
        assert refusal(b"[" + deepest + b"]") == "byte 512: nesting deeper than 511"
        assert refusal(b"[" * 100_000) == "byte 1: nesting deeper than 511"

    def test_does_not_take_brackets_in_text_for_nesting(self) -> None:
        element = json.dumps(["[" * 600, '\\"{' * 600])
        assert texts(f"[{element}]".encode()) == [element]

    @given(
        records=st.lists(JSON_VALUES, max_size=6),
        indent=st.sampled_from([None, 0, 3]),
        ascii_only=st.booleans(),
        piece_bytes=st.integers(1, 40),
    )
    def test_gives_equal_values_however_it_is_cut_into_pieces(
        self, records: list[Any], indent: int | None, ascii_only: bool, piece_bytes: int
    ) -> None:
        content = json.dumps(records, indent=indent, ensure_ascii=ascii_only).encode()
        stream = io.BufferedReader(io.BytesIO(content))
        assert [json.loads(text) for text in read_json_array(stream, piece_bytes)] == records


class TestJsonLines:
    def test_gives_each_line_as_it_is_spelled_and_passes_over_blank_ones(self) -> None:
        assert texts(b'{"a": 1e400}\r\n\n  {"a":2.50}\nnull\n[1]') == [
            '{"a": 1e400}',
            '{"a":2.50}',
            "null",
            "[1]",
        ]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b'{"a": 1}\n\n{"a": }\n', "line 3: expecting value at its character 7"),
            (b'{"a": 1} {"a": 2}', "line 1: something follows the record at its character 10"),
            (b'{\n"a": 1}', "line 1: expecting property name enclosed in double quotes at its character 2"),
            (b'{"a": 1}\n{"a": "\xff"}', "line 2: invalid UTF-8 at its byte 7"),
            (b'{"a": 1}\n\x0c{}', "line 2: expecting value at its character 1"),
        ],
    )
    def test_names_the_line_that_can_not_be_read(self, content: bytes, message: str) -> None:
        assert refusal(content) == message

    @given(records=st.lists(JSON_VALUES.filter(lambda value: value is not None), min_size=1, max_size=6))
    def test_gives_equal_values(self, records: list[Any]) -> None:
        content = b"\n".join(json.dumps(record, ensure_ascii=False).encode() for record in records)
        assert values(content, filename="records.jsonl") == records


class TestCsv:
    def test_puts_dotted_columns_into_entities_and_leaves_empty_cells_out(self) -> None:
        content = b"order.id,user.email,user.age,note\no-1,a@example.com,,\no-2,,41,late\n"
        assert values(content) == [
            {"order": {"id": "o-1"}, "user": {"email": "a@example.com"}},
            {"order": {"id": "o-2"}, "user": {"age": "41"}, "note": "late"},
        ]

    def test_takes_quotes_line_breaks_nul_and_a_byte_order_mark(self) -> None:
        content = '\ufeff"a","b"\r\n"x, ""y""\nz","é\0"\r\n'.encode()
        assert values(content) == [{"a": 'x, "y"\nz', "b": "é\0"}]

    def test_takes_rows_that_end_early_and_blank_lines(self) -> None:
        assert values(b"a,b\n1\n\n,2\n,\n") == [{"a": "1"}, {"b": "2"}, {}]

    def test_may_have_a_header_and_nothing_else(self) -> None:
        assert values(b"a,b\n") == []

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"a,b,a\n", "line 1: the column 'a' appears twice"),
            (b"user,user.email\n", "line 1: the columns 'user' and 'user.email' contradict each other"),
            (b"user.email,user\n", "line 1: the columns 'user' and 'user.email' contradict each other"),
            (b"a,,b\n", "line 1: the column '' has an empty name"),
            (b"a,user.\n", "line 1: the column 'user.' has an empty name"),
            (b'a,b\n"x\ny",1\n1,2,3\n', "line 4: 3 cells where the header has 2"),
            (b'a,b\n1,2\n"x,1\n', "line 3: unexpected end of data"),
            (b'a,b\n"x"y,1\n', "line 2: ',' expected after '\"'"),
            (b"a,b\n1,\xe9\n", "line 2: invalid UTF-8 at its byte 2"),
            ("a,b\n".encode("utf-16"), "line 1: invalid UTF-8 at its byte 0"),
            (b"x," * 10_000 + b"x", "line 1: 10001 columns, and at most 10000 may be"),
        ],
    )
    def test_names_the_line_that_can_not_be_read(self, content: bytes, message: str) -> None:
        assert refusal(content) == message

    @given(
        rows=st.lists(
            st.lists(
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")),
                min_size=2,
                max_size=2,
            ),
            max_size=5,
        )
    )
    def test_gives_back_every_cell(self, rows: list[list[str]]) -> None:
        lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
        content = "\n".join(["first,second", *lines]).encode()
        expected = [
            {name: cell for name, cell in zip(["first", "second"], row, strict=True) if cell} for row in rows
        ]
        assert values(content) == expected


class TestParquet:
    def test_gives_structs_as_objects_and_dotted_columns_as_entities(self) -> None:
        table = pa.table(
            {
                "user": [{"id": "u-1", "tags": ["a", "b"]}, None],
                "order.id": ["o-1", None],
                "order.lines": pa.array([3, 4], pa.int64()),
            }
        )
        assert values(parquet(table)) == [
            {"user": {"id": "u-1", "tags": ["a", "b"]}, "order": {"id": "o-1", "lines": 3}},
            {"user": None, "order": {"id": None, "lines": 4}},
        ]

    def test_spells_times_as_bronze_does(self) -> None:
        moment = datetime(2026, 11, 22, 19, 24, 33, 703631)  # noqa: DTZ001 - a column without a zone is the case
        table = pa.table(
            {
                "naive": pa.array([moment], pa.timestamp("us")),
                "utc": pa.array([moment.replace(tzinfo=UTC)], pa.timestamp("us", "UTC")),
                "paris": pa.array([moment.replace(tzinfo=UTC)], pa.timestamp("us", "Europe/Paris")),
                "fine": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns")),
                "day": pa.array([date(2026, 11, 22)]),
                "hour": pa.array([time(19, 24, 33)], pa.time32("s")),
                "nested": pa.array([{"at": [moment]}], pa.struct({"at": pa.list_(pa.timestamp("us"))})),
            }
        )
        assert values(parquet(table)) == [
            {
                "naive": "2026-11-22 19:24:33.703631",
                "utc": "2026-11-22 19:24:33.703631Z",
                "paris": "2026-11-22 19:24:33.703631Z",
                "fine": "2023-11-14 22:13:20.123456789",
                "day": "2026-11-22",
                "hour": "19:24:33.000",
                "nested": {"at": ["2026-11-22 19:24:33.703631"]},
            }
        ]

    def test_keeps_every_digit_of_a_decimal_and_an_integer(self) -> None:
        table = pa.table(
            {
                "price": pa.array([Decimal("12345678901234567890.10")], pa.decimal128(38, 2)),
                "count": pa.array([2**64 - 1], pa.uint64()),
            }
        )
        assert texts(parquet(table)) == ['{"price":12345678901234567890.10,"count":18446744073709551615}']

    def test_gives_what_json_can_not_say_as_null(self) -> None:
        table = pa.table({"age": [41.0, float("nan"), float("inf")]})
        assert values(parquet(table)) == [{"age": 41.0}, {"age": None}, {"age": None}]

    def test_takes_dictionaries_halves_and_large_strings(self) -> None:
        table = pa.table(
            {
                "status": pa.array(["Success", "Failed"]).dictionary_encode(),
                "half": pa.array([1.5, None], pa.float16()),
                "name": pa.array(["a", "b"], pa.large_string()),
                "nothing": pa.nulls(2),
            }
        )
        assert values(parquet(table)) == [
            {"status": "Success", "half": 1.5, "name": "a", "nothing": None},
            {"status": "Failed", "half": None, "name": "b", "nothing": None},
        ]

    @pytest.mark.parametrize(
        "column",
        [
            pa.array([b"\x00\xff"]),
            pa.array([b"\x00\xff"], pa.binary(2)),
            pa.array([{"raw": b"\x00"}]),
            pa.array([[b"\x00"]]),
            pa.array([5], pa.duration("s")),
            pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        ],
    )
    def test_refuses_a_column_that_json_has_no_form_for(self, column: pa.Array) -> None:
        assert "which JSON has no form for" in refusal(parquet(pa.table({"photo": column})))

    def test_refuses_a_damaged_file(self) -> None:
        content = parquet(pa.table({"a": list(range(1_000))}))
        assert refusal(content[:-1]).startswith(f"Parquet file of {len(content) - 1} bytes: ")
        assert refusal(b"PAR1").startswith("Parquet file of 4 bytes: ")

    def test_refuses_columns_that_contradict_each_other(self) -> None:
        table = pa.table({"user": ["a"], "user.id": ["b"]})
        assert refusal(parquet(table)) == (
            "Parquet schema: the columns 'user' and 'user.id' contradict each other"
        )

    def test_refuses_a_row_over_the_size_of_a_record(self) -> None:
        table = pa.table({"a": ["x", "x" * (16 << 20)]})
        with pytest.raises(TooLarge, match=r"^row 2: a single record may have at most 16777216 bytes$"):
            values(parquet(table))

    def test_refuses_a_file_that_takes_more_memory_than_it_may(self) -> None:
        # Some 700 bytes.
        text = pa.array(["x" * (15 << 20)])
        rows = pa.DictionaryArray.from_arrays(pa.array([0] * 200, pa.int32()), text)
        file = io.BytesIO()
        pq.write_table(pa.table({"a": rows}), file, compression="zstd", write_statistics=False)
        assert file.tell() < 10_000
        message = r"^the Parquet file can't be read within 1024 MB of memory$"
        with pytest.raises(TooLarge, match=message):
            values(file.getvalue())

    def test_refuses_rows_out_of_all_proportion_to_the_file(self) -> None:
        text = pa.array(["x" * MEGABYTE])
        rows = pa.DictionaryArray.from_arrays(pa.array([0] * 400, pa.int32()), text)
        with pytest.raises(TooLarge, match=r"^an upload may become at most 268435456 bytes, or 1000 times"):
            for _ in read_records(io.BytesIO(parquet(pa.table({"a": rows}))), MEGABYTE):
                pass

    def test_leaves_no_process_behind_when_nobody_reads_on(self) -> None:
        content = parquet(pa.table({"a": list(range(100_000))}))
        before = psutil.Process().children()
        records = read_records(io.BytesIO(content), MEGABYTE)
        assert next(records) == b'{"a":0}'
        assert psutil.Process().children() != before
        del records
        assert psutil.Process().children() == before


class TestGzip:
    def test_is_taken_around_every_format(self) -> None:
        assert values(gzip.compress(b'[{"a": 1}]', mtime=0)) == [{"a": 1}]
        assert values(gzip.compress(b'{"a": 1}\n', mtime=0)) == [{"a": 1}]
        assert values(gzip.compress(b"a\n1\n", mtime=0)) == [{"a": "1"}]
        assert values(gzip.compress(parquet(pa.table({"a": [1]})), mtime=0)) == [{"a": 1}]

    def test_may_have_several_members(self) -> None:
        assert values(gzip.compress(b"[1,", mtime=0) + gzip.compress(b"2]")) == [1, 2]

    def test_that_becomes_out_of_all_proportion_to_its_size_is_refused(self) -> None:
        content = gzip.compress(b"[" + b" " * (300 * MEGABYTE) + b"]", 1, mtime=0)
        with pytest.raises(TooLarge, match=r"^an upload may become at most 268435456 bytes, or 200 times"):
            list(read_records(io.BytesIO(content), 1024 * MEGABYTE))

    def test_that_is_cut_off_or_damaged_is_refused(self) -> None:
        content = gzip.compress(b"[" + b"1," * 5_000 + b"1]", mtime=0)
        assert refusal(content[:-9]).startswith(f"gzip, before byte {len(content) - 9}: ")
        assert refusal(content[:-1] + b"!").startswith(f"gzip, before byte {len(content)}: ")

    def test_that_expands_too_far_is_too_large(self) -> None:
        bomb = gzip.compress(b"[" + b" " * (21 * 1_024), mtime=0)
        with pytest.raises(TooLarge, match="a decompressed upload may have at most 20480 bytes"):
            list(read_records(io.BytesIO(bomb), 1_024))


class TestLimits:
    def test_an_upload_may_be_as_large_as_the_limit(self) -> None:
        assert list(read_records(io.BytesIO(b"[1, 22]"), 7)) == [b"1", b"22"]

    def test_a_larger_upload_is_refused(self) -> None:
        with pytest.raises(TooLarge, match="an upload may have at most 6 bytes"):
            list(read_records(io.BytesIO(b"[1, 22]"), 6))

    def test_an_endless_upload_is_refused(self) -> None:
        class Endless:
            def read(self, size: int, /) -> bytes:
                return b"[" + b" " * (size - 1)

        with pytest.raises(TooLarge, match="an upload may have at most 1048576 bytes"):
            list(read_records(Endless(), MEGABYTE, filename="a.csv"))

    @pytest.mark.parametrize(
        ("record", "place"),
        [
            (b'["' + b"x" * 20 * MEGABYTE + b'"]', "byte 1"),
            (b'{"a": 1}\n{"a": "' + b"x" * 20 * MEGABYTE + b'"}', "line 2"),
            (b"a\n" + b"x" * 20 * MEGABYTE, "line 2"),
            (b"a\n1\n" + b'"x\n",' * 4 * MEGABYTE, "line 3"),
        ],
        ids=["array", "lines", "csv line", "csv row"],
    )
    def test_a_single_record_is_bounded(self, record: bytes, place: str) -> None:
        with pytest.raises(TooLarge, match=rf"^{place}: a single record may have at most 16777216 bytes$"):
            list(read_records(io.BytesIO(record), 64 * MEGABYTE))

    def test_a_source_may_come_in_bytes(self) -> None:
        assert list(read_records(OneByteAtATime(b"[1, 22]"), 7)) == [b"1", b"22"]

    def test_an_array_is_read_no_further_than_it_is_asked_for(self) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"[" + b'"first",' * 200_000
            raise AssertionError("read on")

        class Pieces:
            source = pieces()

            def read(self, size: int, /) -> bytes:
                self.left = getattr(self, "left", b"") or next(self.source)
                piece, self.left = self.left[:size], self.left[size:]
                return piece

        records = read_records(Pieces(), 64 * MEGABYTE)
        assert next(records) == b'"first"'

    def test_the_limit_of_a_record_leaves_room_for_long_texts(self) -> None:
        assert limits.GREATEST_RECORD_BYTES == 16_777_216
