import json
from typing import Any

import pytest

from backend.domain.errors import NotFound
from backend.ports import FrontendTable
from backend.services.bronze_counting import BronzeCounter
from backend.services.dataset_catalogue import DatasetCatalogue
from backend.services.raw_data import RawDataReader
from tests.fakes import InMemoryDatasets, InMemoryFileSystem

USER = "a" * 32


def reader(**parts: bytes) -> RawDataReader:
    bronze = InMemoryFileSystem({f"{USER}/orders/{name}.json": part for name, part in parts.items()})
    return RawDataReader(
        bronze, DatasetCatalogue(InMemoryDatasets(), bronze, BronzeCounter(bronze, 10, 1_000))
    )


def users(records: list[Any]) -> list[dict[str, Any]]:
    return reader(a=json.dumps(records).encode()).entities(USER, "orders", FrontendTable.USER)


@pytest.mark.parametrize("table", list(FrontendTable))
def test_an_entity_is_shown_as_it_came(table: FrontendTable) -> None:
    entity = {"id": 1, "name": " Ada ", "tags": [None, {"deep": True}], "price": 1.50, "": "x"}
    raw = json.dumps([{table.value: entity, "other": {"id": 2}}]).encode()
    assert reader(a=raw).entities(USER, "orders", table) == [entity]


def test_the_first_ten_different_ones_are_shown_over_all_parts_in_the_order_of_cleaning() -> None:
    parts = {
        name: json.dumps([{"user": {"id": f"{name}{each}"}} for each in (1, 1, 2, 2, 3)]).encode()
        for name in ("b", "d", "a", "c")
    }
    shown = [user["id"] for user in reader(**parts).entities(USER, "orders", FrontendTable.USER)]
    assert shown == ["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3", "d1"]


def test_whatever_is_named_like_a_password_is_left_out_at_any_depth() -> None:
    secrets = [
        "password",
        "PASSWORD",
        "passwordHash",
        "user_password",
        "pass-word",
        "passwd",
        "pwd",
        "Passphrase",
    ]
    user = {"id": 1, **dict.fromkeys(secrets, "s3cret"), "old": [{"Password": {"value": "s3cret"}, "at": 5}]}
    assert users([{"user": user}]) == [{"id": 1, "old": [{"at": 5}]}]


def test_an_escaped_name_is_no_hiding_place() -> None:
    raw = rb'[{"user": {"id": 1, "p\u0061ssword": "s3cret"}}]'
    assert reader(a=raw).entities(USER, "orders", FrontendTable.USER) == [{"id": 1}]


def test_what_is_no_object_counts_as_absent() -> None:
    assert users([1, None, "x", [], {}, {"user": "Ada"}, {"user": None}, {"user": {"id": 1}}]) == [{"id": 1}]


def test_unusual_values_are_shown_without_loss() -> None:
    digits = "9" * 5_000
    raw = f'[{{"user": {{"id": {digits}, "age": 1e400, "big": {"7" * 40}, "name": "\\ud800x"}}}}]'.encode()
    [user] = reader(a=b"\xef\xbb\xbf" + raw).entities(USER, "orders", FrontendTable.USER)
    assert user == {"id": digits, "age": "1e400", "big": int("7" * 40), "name": "\ufffdx"}


def test_a_deeply_nested_entity_is_shown() -> None:
    deep = b'{"a":' * 500 + b"1" + b"}" * 500
    [user] = reader(a=b'[{"user": ' + deep + b"}]").entities(USER, "orders", FrontendTable.USER)
    assert json.dumps(user, separators=(",", ":")).encode() == deep


def test_a_part_that_can_not_be_read_shows_what_comes_before() -> None:
    broken = b'[{"user": {"id": 1}}, {"user": {"id": 2}} oops'
    whole = b'[{"user": {"id": 3}}]'
    shown = reader(a=broken, b=b"", c=b"{}", d=b"\xff", e=whole).entities(USER, "orders", FrontendTable.USER)
    assert [user["id"] for user in shown] == [1, 2, 3]


@pytest.mark.parametrize("records", [[], [{"order": {"id": 1}}], [{}] * 1_000 + [{"user": {"id": 1}}]])
def test_when_there_is_none_among_the_first_thousand_records_none_is_found(records: list[Any]) -> None:
    with pytest.raises(NotFound):
        users(records)


def test_without_a_dataset_none_is_found() -> None:
    with pytest.raises(NotFound):
        reader(a=b"[]").entities(USER, "another", FrontendTable.USER)
