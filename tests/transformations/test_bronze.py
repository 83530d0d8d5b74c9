from typing import Any

import pytest

from backend.domain.errors import MalformedPart
from backend.transformations.bronze import BronzePart, decode
from backend.transformations.order_lines import ORDER_LINES


def _user_ids(content: bytes) -> list[Any]:
    decoded = decode(BronzePart("part.json", content), ORDER_LINES)
    return decoded.fields.values("user.id")


@pytest.mark.parametrize(
    ("content", "byte"),
    [
        (b"", 0),
        (b"[", 1),
        (b'[{"user": {"id": "a"}}', 22),
        (b"[1, 2", 5),
        (b"[1,]", 3),
        (b"[1 2]", 3),
        (b"[] []", 3),
        (b"[NaN]", 1),
        (b'["NaN", -Infinity]', 8),
        (b"[01]", 2),
        (b"[1.]", 2),
        (b"[+1]", 1),
        (b"['a']", 1),
        (b'["\x01"]', 2),
        (b'["\\x"]', 2),
        (b'["\xc3\x28"]', 2),
        (b'[{"ignored": "\xff"}]', 14),
        (b'["\xed\xa0\x80"]', 2),
        (b'[1 2, "\xff"]', 3),
        (b"\xef\xbb\xbf[1,]", 6),
        (b'["\xc3\xa9", 1 2]', 9),
    ],
)
def test_a_malformed_part_is_refused_with_its_name_and_byte(content: bytes, byte: int) -> None:
    with pytest.raises(MalformedPart) as raised:
        decode(BronzePart("part.json", content), ORDER_LINES)
    assert raised.value.part == "part.json"
    # Tools may differ within one token (data.md, section 1): the longest one here has two bytes.
    assert abs(raised.value.byte - byte) <= 1


@pytest.mark.parametrize(("content", "byte"), [(b"{}", 0), (b"  7", 2), (b'"[]"', 0), (b"null", 0)])
def test_a_part_whose_top_level_is_no_array_is_refused(content: bytes, byte: int) -> None:
    with pytest.raises(MalformedPart, match=r"part\.json: the top level is not an array") as raised:
        decode(BronzePart("part.json", content), ORDER_LINES)
    assert raised.value.byte == byte


def test_nesting_of_512_is_taken_wherever_it_stands() -> None:
    deep = b"[" * 510 + b"]" * 510
    assert _user_ids(b'[{"user": {"id": "a"}, "ignored": ' + deep + b"}]") == ["a"]
    assert len(_user_ids(b'[{"user": {"id": ' + deep[1:-1] + b"}}]")) == 1


def test_nesting_of_100_000_is_refused_without_a_crash() -> None:
    with pytest.raises(MalformedPart, match="nesting deeper than 512 at byte 512"):
        decode(BronzePart("part.json", b"[" * 100_000), ORDER_LINES)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"\udc00"', "\ufffd"),
        (rb'"\ud800\ud800\udc00"', "\ufffd\U00010000"),
        (rb'"\udc00\ud800"', "\ufffd\ufffd"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\\ud800"', r"\ud800"),
        (rb'"\uD800x"', "\ufffdx"),
        (b"1e400", float("inf")),
        (b"-1e400", float("-inf")),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"-0", 0),
        (b"1.0", 1.0),
    ],
)
def test_valid_but_unusual_values_are_read(value: bytes, expected: object) -> None:
    assert _user_ids(b'[{"user": {"id": ' + value + b"}}]") == [expected]


def test_an_unusual_value_changes_nothing_in_the_records_beside_it() -> None:
    plain = b'{"user": {"id": "a", "ignored": 1}, "order": 5, "more": [{}]}'
    decoded = decode(BronzePart("p", b"[" + plain + b', {"user": {"id": 1e999}}, 7]'), ORDER_LINES)
    alone = decode(BronzePart("p", b"[" + plain + b"]"), ORDER_LINES)
    sources = [f"{entity}.{field}" for entity, fields in ORDER_LINES.sources.items() for field in fields]
    first = {source: decoded.fields.values(source)[0] for source in sources}
    assert first == {source: alone.fields.values(source)[0] for source in sources}
    assert first["user.id"] == "a"
    assert decoded.fields.objects.tolist() == [True, True, False]
    assert decoded.texts([2]) == ["7"]


def test_records_are_read_alike_wherever_a_piece_of_the_part_ends() -> None:
    records = [f'{{"user": {{"id": "{number}"}}}}' for number in range(1_201)]
    records[3], records[700] = "null", "[1]"
    decoded = decode(BronzePart("p", f"[{', '.join(records)}]".encode()), ORDER_LINES)
    assert decoded.records_in == 1_201
    assert decoded.fields.values("user.id") == [str(n) for n in range(1_201) if n not in (3, 700)]
    assert decoded.texts([3, 700, 1_200]) == ["null", "[1]", '{"user": {"id": "1200"}}']


def test_the_last_of_equal_keys_wins() -> None:
    assert _user_ids(b'[{"user": {"id": 1, "id": 2}, "user": {"id": 3, "id": 4}}]') == [4]


def test_a_byte_order_mark_is_tolerated() -> None:
    assert _user_ids(b'\xef\xbb\xbf[{"user": {"id": "a"}}]') == ["a"]


def test_an_integer_of_5000_digits_counts_as_its_digits() -> None:
    assert _user_ids(b'[{"user": {"id": ' + b"1" * 5000 + b"}}]") == ["1" * 5000]
