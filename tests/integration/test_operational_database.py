"""Gold in SQLite and in a real MariaDB: the same tests, the same rows."""

import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text

from backend.adapters.database_engine import open_engine
from backend.adapters.operational_database import OperationalDatabase
from backend.adapters.operational_schema import GOLD, GOLD_LOADS, METADATA, SCHEMA_VERSION
from backend.adapters.schema_migration import migrate, migration_script
from backend.domain.errors import InvalidSettings, LoadMismatch, Unavailable, ValueTooLong
from backend.ports import GoldTable, LoadedDataset
from tests.gold import AS_OF, gold_of_records, gold_of_rows, gold_tables, write_gold
from tests.killed_loads import kill_at_random, load_in_a_process, standing
from tests.mariadb_server import MariaDbServer

OWNER, OTHER = "a" * 32, "b" * 32
FIRST = LoadedDataset(OWNER, "orders", "2" * 32, AS_OF)
SECOND = LoadedDataset(OWNER, "orders", "1" * 32, AS_OF + timedelta(minutes=1))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database with the service's schema."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'gold.sqlite'}"
    else:
        server: MariaDbServer = request.getfixturevalue("mariadb")
        url = server.create_database(f"gold_{secrets.token_hex(6)}")
    migrate(url)
    return url


@pytest.fixture
def database(url: str) -> Iterator[OperationalDatabase]:
    database = OperationalDatabase(url)
    yield database
    database.close()


def rows(url: str, table: str) -> list[dict[str, Any]]:
    """Every row of a table, in the order of its key, with the ids of its load left out of it."""
    engine = open_engine(url)
    columns = GOLD[table]
    with engine.connect() as connection:
        found = connection.execute(select(columns).order_by(*columns.primary_key)).mappings().all()
    engine.dispose()
    return [{key: plain(value) for key, value in row.items() if value is not None} for row in found]


def plain(value: object) -> object:
    """What SQLite keeps as text, as text on every database."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return (
        value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
    )


def loaded(row: dict[str, Any], job: LoadedDataset = FIRST) -> dict[str, Any]:
    return {"owner_id": job.owner_id, "dataset_id": job.dataset_id, "job_id": job.job_id, **row}


ORDER = {"order_id": "o-1", "order_item_id": "i-1", "user_id": "u-1", "quality_score": 100}
STORED_ORDER = {**ORDER, "order_item_key": "i-1"}


def test_every_kind_of_value_comes_back_as_it_was(url: str, database: OperationalDatabase) -> None:
    text_value = "Zoë 'Ω' \"quoted\" \\n -- ; %s {} 🦀 日本語 ` X''"
    order = ORDER | {
        "sku_id": text_value,
        "date_id": 20240229,
        "quantity": 100000,
        "unit_price": Decimal("1000000.00"),
        "line_amount": Decimal("9999999999999999.99"),
        "payment_amount": Decimal("0.01"),
        "order_created_at": datetime(1900, 1, 1, tzinfo=UTC),
        "order_updated_at": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    }
    user = {"user_id": "u-1", "birth_date": date(1900, 1, 1), "age": 120, "age_group": "65+"}
    metrics = {"user_id": "u-1", "order_count": 2**63 - 1, "units": 0, "average_quality_score": 1 / 3}
    day = {"date_id": 20240229, "date": date(2024, 2, 29), "is_weekend": False}

    tables = gold_of_rows(fact_orders=[order], dim_users=[user], agg_user_metrics=[metrics], dim_time=[day])
    assert database.load(FIRST, tables)

    assert rows(url, "fact_orders") == [
        loaded(STORED_ORDER)
        | {
            "sku_id": text_value,
            "date_id": 20240229,
            "quantity": 100000,
            "unit_price": "1000000.00",
            "line_amount": "9999999999999999.99",
            "payment_amount": "0.01",
            "order_created_at": "1900-01-01T00:00:00.000000Z",
            "order_updated_at": "9999-12-31T23:59:59.999999Z",
        }
    ]
    assert rows(url, "dim_users") == [loaded(user) | {"birth_date": "1900-01-01"}]
    assert rows(url, "agg_user_metrics") == [loaded(metrics)]
    assert rows(url, "dim_time") == [loaded(day) | {"date": "2024-02-29"}]


def test_the_ids_of_a_load_are_data_whatever_they_are(url: str, database: OperationalDatabase) -> None:
    hostile = LoadedDataset("o'w", "d'); DROP TABLE dim_location; -- ? %s :x \\", "2" * 32, AS_OF)
    ghent = {"location_id": "ghent", "city": "Ghent"}
    database.load(hostile, gold_of_rows(dim_location=[ghent]))
    assert rows(url, "dim_location") == [loaded(ghent, hostile)]


def test_an_order_without_an_item_id_has_a_row(url: str, database: OperationalDatabase) -> None:
    without = {"order_id": "o-1", "user_id": "u-1"}
    database.load(FIRST, gold_of_rows(fact_orders=[without, ORDER]))
    database.load(FIRST, gold_of_rows(fact_orders=[without, ORDER]))
    assert rows(url, "fact_orders") == [loaded(without | {"order_item_key": ""}), loaded(STORED_ORDER)]


def test_ids_that_differ_by_case_or_accent_are_different(url: str, database: OperationalDatabase) -> None:
    ids = ["e", "E", "é", "É", "ss", "ß"]
    database.load(FIRST, gold_of_rows(dim_products=[{"product_id": each} for each in ids]))
    assert sorted(row["product_id"] for row in rows(url, "dim_products")) == sorted(ids)


def test_a_job_that_was_cleaned_again_replaces_its_own_rows(url: str, database: OperationalDatabase) -> None:
    ghent, york = ({"location_id": name, "city": name} for name in ("ghent", "york"))
    database.load(FIRST, gold_of_rows(dim_location=[ghent, york]))
    assert database.load(FIRST, gold_of_rows(dim_location=[ghent]))
    assert rows(url, "dim_location") == [loaded(ghent)]


def test_a_row_without_its_key_is_refused_in_words_that_hold_no_data(database: OperationalDatabase) -> None:
    with pytest.raises(LoadMismatch) as refusal:
        database.load(FIRST, gold_of_rows(dim_users=[{"user_id": None, "user_name": "Ada Lovelace"}]))
    assert str(refusal.value) == "the operational database: a row lacks a part of its key"
    assert "Ada" not in str(refusal.value.__cause__)


def test_loading_twice_leaves_the_same_rows(url: str, database: OperationalDatabase) -> None:
    tables = gold_tables(gold_of_records(300))
    assert database.load(FIRST, tables)
    once = {table.name: rows(url, table.name) for table in tables}
    assert database.load(FIRST, tables)
    assert {table.name: rows(url, table.name) for table in tables} == once
    assert {name: len(each) for name, each in once.items()} == {table.name: table.rows for table in tables}


def test_a_later_job_replaces_exactly_its_datasets_rows(url: str, database: OperationalDatabase) -> None:
    others = (replace(FIRST, owner_id=OTHER), replace(FIRST, dataset_id="others"))
    for each in (FIRST, *others):
        database.load(each, gold_of_rows(fact_orders=[ORDER], dim_users=[{"user_id": "u-1"}]))
    assert database.load(SECOND, gold_of_rows(fact_orders=[ORDER | {"order_id": "o-2"}]))
    kept = [loaded(STORED_ORDER, each) for each in others]
    new = loaded(STORED_ORDER | {"order_id": "o-2"}, SECOND)
    assert rows(url, "fact_orders") == [new, kept[1], kept[0]]
    assert rows(url, "dim_users") == [
        loaded({"user_id": "u-1"}, others[1]),
        loaded({"user_id": "u-1"}, others[0]),
    ]


@pytest.mark.parametrize("late", [FIRST, replace(FIRST, as_of=SECOND.as_of)], ids=["earlier", "same moment"])
def test_an_earlier_job_leaves_everything_as_it_is(
    url: str, database: OperationalDatabase, late: LoadedDataset
) -> None:
    database.load(SECOND, gold_of_rows(fact_orders=[ORDER]))
    assert not database.load(late, gold_of_rows(fact_orders=[ORDER | {"order_id": "o-2"}]))
    assert rows(url, "fact_orders") == [loaded(STORED_ORDER, SECOND)]


def test_a_text_that_is_too_long_is_named_and_nothing_is_loaded(
    url: str, database: OperationalDatabase
) -> None:
    tables = gold_of_rows(fact_orders=[ORDER], dim_users=[{"user_id": "u-1", "company": "é" * 1001}])
    with pytest.raises(ValueTooLong) as caught:
        database.load(FIRST, tables)
    assert str(caught.value) == (
        "the operational database: dim_users.company holds a text of 1001 characters, and takes 1000"
    )
    assert rows(url, "fact_orders") == []


def test_texts_of_the_greatest_length_fit(url: str, database: OperationalDatabase) -> None:
    user = {"user_id": "🦀" * 255} | dict.fromkeys(
        ("username", "full_name", "job", "company", "city"), "🦀" * 1000
    )
    database.load(FIRST, gold_of_rows(dim_users=[user]))
    assert rows(url, "dim_users") == [loaded(user)]


def test_other_rows_than_the_manifest_says_are_refused_and_rolled_back(
    url: str, database: OperationalDatabase
) -> None:
    database.load(FIRST, gold_of_rows(fact_orders=[ORDER]))
    before = rows(url, "fact_orders")
    tables = [
        replace(table, rows=3) if table.name == "fact_orders" else table
        for table in gold_of_rows(fact_orders=[ORDER, ORDER | {"order_id": "o-2"}])
    ]
    with pytest.raises(LoadMismatch, match=r"database: fact_orders has 2 rows and should have 3$"):
        database.load(SECOND, tables)
    assert rows(url, "fact_orders") == before
    assert database.load(FIRST, gold_of_rows(fact_orders=[ORDER]))


class BrokenTable:
    """A table whose files can't be read to the end."""

    name, rows, files = "agg_product_metrics", 1, ()

    def batches(self) -> Iterator[Any]:
        raise OSError("the lake is out")


def test_gold_that_can_not_be_read_leaves_what_was(url: str, database: OperationalDatabase) -> None:
    database.load(FIRST, gold_of_rows(fact_orders=[ORDER]))
    tables: Sequence[GoldTable] = [*gold_of_rows(fact_orders=[])[:-1], BrokenTable()]
    with pytest.raises(OSError, match="the lake is out"):
        database.load(SECOND, tables)
    assert rows(url, "fact_orders") == [loaded(STORED_ORDER)]


def test_removing_a_dataset_leaves_the_others(url: str, database: OperationalDatabase) -> None:
    other = replace(FIRST, dataset_id="others")
    for each in (FIRST, other):
        database.load(each, gold_of_rows(fact_orders=[ORDER]))
    database.remove(OWNER, "orders")
    assert rows(url, "fact_orders") == [loaded(STORED_ORDER, other)]
    engine = open_engine(url)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(GOLD_LOADS)).scalar() == 1
    engine.dispose()


def test_two_loaders_of_one_dataset_leave_one_jobs_rows(url: str) -> None:
    tables = gold_tables(gold_of_records(2000))

    def load(job: LoadedDataset) -> None:
        database = OperationalDatabase(url)
        database.load(job, tables)
        database.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(load, [FIRST, SECOND]))
    assert {row["job_id"] for row in rows(url, "fact_orders")} == {SECOND.job_id}
    assert len(rows(url, "fact_orders")) == next(
        table.rows for table in tables if table.name == "fact_orders"
    )


def test_another_schema_version_is_told_with_what_to_do(url: str, database: OperationalDatabase) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    told = (
        "the database has schema version 0001, and this service needs 0003: run `python -m backend migrate`"
    )
    with pytest.raises(Unavailable) as caught:
        database.load(FIRST, gold_of_rows(fact_orders=[ORDER]))
    assert str(caught.value) == told


def test_a_database_without_a_schema_is_told_with_what_to_do(tmp_path: Path, mariadb: MariaDbServer) -> None:
    for url in (f"sqlite:///{tmp_path / 'empty.sqlite'}", mariadb.create_database("empty")):
        database = OperationalDatabase(url)
        with pytest.raises(
            Unavailable, match=r"has another schema than this version .* `python -m backend migrate`$"
        ):
            database.ping()
        database.close()


def test_the_schema_of_the_migrations_is_the_one_that_the_code_expects(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_the_newest_migration_is_the_one_that_the_code_needs() -> None:
    assert (
        ScriptDirectory(str(ROOT / "backend" / "adapters" / "migrations")).get_current_head()
        == SCHEMA_VERSION
    )


def test_the_script_for_administrators_is_that_of_the_migrations() -> None:
    script = (ROOT / "infrastructure" / "mysql" / "schema.sql").read_text()
    assert script == migration_script("mysql+pymysql://")


def test_accounts_of_an_earlier_version_outlive_the_migration(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = open_engine(url)
    with engine.begin() as connection:
        METADATA.tables["users"].create(connection)
        connection.execute(text("INSERT INTO users VALUES ('1', 'Ada', 'ada', 'hash')"))
    migrate(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT username FROM users")).all() == [("Ada",)]
    engine.dispose()


def test_a_url_of_no_database_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="DATABASE_URL names no database"):
        OperationalDatabase("nosuch://user:secret@host/db")


@pytest.mark.timeout(300)
def test_a_loader_that_is_killed_at_any_moment_leaves_one_whole_job(url: str, tmp_path: Path) -> None:
    halves = (tmp_path / "first", tmp_path / "second")
    expected = []
    for seed, folder in enumerate(halves):
        tables = gold_of_records(4000, seed)
        write_gold(tables, folder)
        expected.append({name: table.num_rows for name, table in tables.items()})
    kills = kill_at_random(url, halves, times=10)
    for after in kills:
        [job] = {number for _, number in after.standing.values()}
        assert {name: count for name, (count, _) in after.standing.items()} == expected[job % 2]
    assert any(after.was_loading for after in kills)
    assert load_in_a_process(url, halves[0], 100) is not None
    assert {name: count for name, (count, _) in standing(url).items()} == expected[0]
