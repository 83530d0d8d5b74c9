"""What becomes of a load when MariaDB is away, full, or refuses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import make_url

from backend.adapters.account_database import AccountDatabase
from backend.adapters.attempt_counts import AttemptCountDatabase
from backend.adapters.frontend_tables import FrontendTables
from backend.adapters.operational_database import OperationalDatabase
from backend.adapters.schema_migration import migrate
from backend.domain.errors import Unavailable
from backend.ports import Account, FrontendTable, LoadedDataset
from tests.gold import AS_OF, gold_of_records, gold_of_rows, gold_tables
from tests.mariadb_server import MariaDbServer, running_mariadb

JOB = LoadedDataset("a" * 32, "orders", "1" * 32, AS_OF)
ORDER = {"order_id": "o-1", "order_item_id": "i-1", "user_id": "u-1"}
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[MariaDbServer]:
    """A server that the test may stop."""
    with running_mariadb(tmp_path) as server:
        yield server


def open_database(url: str) -> OperationalDatabase:
    migrate(url)
    return OperationalDatabase(url)


def test_a_server_that_is_away_is_unavailable_until_it_is_back(own_server: MariaDbServer) -> None:
    database = open_database(own_server.create_database("gold"))
    own_server.stop()
    with pytest.raises(Unavailable, match=r"^the database does not answer \(error 2003\)$"):
        database.load(JOB, gold_of_rows(fact_orders=[ORDER]))
    own_server.start()
    assert database.load(JOB, gold_of_rows(fact_orders=[ORDER]))
    database.close()


def test_a_server_that_dies_under_a_load_keeps_nothing_of_it(own_server: MariaDbServer) -> None:
    database = open_database(own_server.create_database("gold"))

    class DeadlyTable:
        name, rows, files = "agg_product_metrics", 1, ()

        def batches(self) -> Iterator[Any]:
            own_server.kill()
            yield from gold_of_rows(agg_product_metrics=[{"product_id": "p-1"}])[-1].batches()

    with pytest.raises(Unavailable, match="the database does not answer"):
        database.load(JOB, [*gold_of_rows(fact_orders=[ORDER])[:-1], DeadlyTable()])
    own_server.start()
    with own_server.connect("gold") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT COUNT(*) FROM fact_orders) + (SELECT COUNT(*) FROM gold_loads)")
        assert cursor.fetchall() == ((0,),)
    assert database.load(JOB, gold_of_rows(fact_orders=[ORDER]))
    database.close()


def test_a_full_server_says_so_and_keeps_what_was(own_server: MariaDbServer) -> None:
    own_server.stop()
    own_server.start("--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M")
    database = open_database(own_server.create_database("gold"))
    assert database.load(JOB, gold_of_rows(fact_orders=[ORDER]))
    with pytest.raises(Unavailable, match=r"^the database is full$"):
        database.load(JOB, gold_tables(gold_of_records(20_000)))
    with own_server.connect("gold") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM fact_orders")
        assert cursor.fetchall() == ((1,),)
    database.close()


def test_a_user_who_is_refused_is_told_without_the_password(mariadb: MariaDbServer) -> None:
    url = make_url(mariadb.create_database("refused")).set(password="not the password")  # noqa: S106 - wrong
    database = OperationalDatabase(url.render_as_string(hide_password=False))
    with pytest.raises(Unavailable, match=r"^the database refuses the service's user$"):
        database.ping()
    database.close()


def test_each_user_may_do_its_work_and_no_more(mariadb: MariaDbServer) -> None:
    url = make_url(mariadb.create_database("granted"))
    migrate(url.render_as_string(hide_password=False))
    users = ("orchestrator_api", "orchestrator_functions", "orchestrator_reconciliation")
    with mariadb.connect("granted") as connection, connection.cursor() as cursor:
        for name in users:
            cursor.execute(f"CREATE OR REPLACE USER '{name}'@'%' IDENTIFIED BY 'secret'")
        for statement in (ROOT / "infrastructure" / "mysql" / "grants.sql").read_text().split(";"):
            if statement.strip():
                cursor.execute(statement)
    urls = {
        name: url.set(username=name, password="secret").render_as_string(hide_password=False)  # noqa: S106 - its
        for name in users
    }
    functions, api = OperationalDatabase(urls[users[1]]), AccountDatabase(urls[users[0]])
    assert functions.load(JOB, gold_of_rows(fact_orders=[ORDER]))
    assert functions.load(JOB, gold_of_rows(fact_orders=[ORDER]))
    api.add(Account("1" * 32, "ada", "hash"))
    assert api.find("ada") is not None
    counts = AttemptCountDatabase(urls[users[0]])
    assert [counts.add("ada", 1, 60), counts.add("ada", 1, 60), counts.window("ada")[0]] == [1, 2, 2]
    counts.close()
    frontend = FrontendTables(urls[users[0]])
    for table in FrontendTable:
        frontend.newest(JOB.owner_id, table, 5)
    frontend.close()
    deleting = OperationalDatabase(urls[users[0]])
    deleting.ping()
    deleting.remove(JOB.owner_id, JOB.dataset_id)
    deleting.close()
    for name, forbidden in (
        (users[0], "UPDATE fact_orders SET quantity = 0"),
        (users[0], "INSERT INTO dim_time (date_id) VALUES (1)"),
        (users[0], "DELETE FROM users"),
        (users[1], "SELECT * FROM users"),
        (users[1], "DELETE FROM credential_attempts"),
        (users[1], "DROP TABLE fact_orders"),
        (users[2], "SELECT * FROM fact_orders"),
    ):
        with (
            mariadb.connect("granted", user=name, password="secret") as connection,  # noqa: S106 - its
            connection.cursor() as cursor,
            pytest.raises(pymysql.OperationalError, match="command denied"),
        ):
            cursor.execute(forbidden)
    functions.close()
    api.close()


def test_a_locked_sqlite_is_unavailable(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gold.sqlite'}"
    first, second = open_database(url), open_database(url)

    class WhileItIsLocked:
        name, rows, files = "agg_product_metrics", 0, ()

        def batches(self) -> Iterator[Any]:
            with pytest.raises(Unavailable, match=r"^the database is busy with another transaction$"):
                second.load(JOB, gold_of_rows(fact_orders=[ORDER]))
            return iter(())

    assert first.load(JOB, [*gold_of_rows(fact_orders=[ORDER])[:-1], WhileItIsLocked()])
    first.close()
    second.close()
