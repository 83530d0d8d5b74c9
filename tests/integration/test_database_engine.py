"""What is said of a MySQL that can't be used, and that no statement is waited for without end."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import make_url, text

from backend.adapters.database_engine import open_engine, transaction
from backend.domain.errors import Unavailable
from backend.local.addresses import HOST
from tests.mariadb_server import MariaDbServer

USER, SECRET = "guest", "of the guest"


@pytest.fixture(scope="module")
def url(mariadb: MariaDbServer) -> str:
    """A database with one table, as a user whom the server's limits hold for."""
    url = make_url(mariadb.create_database("engines"))
    with mariadb.connect("engines") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE guests (name VARCHAR(3) PRIMARY KEY)")
        cursor.execute(f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{SECRET}'")
        cursor.execute(f"GRANT ALL ON *.* TO '{USER}'@'%'")
        cursor.execute(f"REVOKE SUPER, READ_ONLY ADMIN, CONNECTION ADMIN ON *.* FROM '{USER}'@'%'")
    return url.set(username=USER, password=SECRET).render_as_string(hide_password=False)


def what_is_said(url: str, statement: str = "SELECT 1", answer_seconds: int = 30) -> str:
    """The error of one statement."""
    engine = open_engine(url, answer_seconds)
    with pytest.raises(Unavailable) as caught, transaction(engine) as connection:
        connection.execute(text(statement))
    engine.dispose()
    assert SECRET not in str(caught.value)
    return str(caught.value)


@contextmanager
def setting(server: MariaDbServer, name: str, value: int) -> Iterator[None]:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT @@GLOBAL.{name}")
        [(before,)] = cursor.fetchall()
        cursor.execute(f"SET GLOBAL {name} = {value}")
        try:
            yield
        finally:
            cursor.execute(f"SET GLOBAL {name} = {before}")


def test_a_server_that_only_reads_says_so(mariadb: MariaDbServer, url: str) -> None:
    with setting(mariadb, "read_only", 1):
        assert what_is_said(url, "INSERT INTO guests VALUES ('ada')") == "the database can only be read"


def test_a_server_with_too_many_connections_says_so(mariadb: MariaDbServer, url: str) -> None:
    with setting(mariadb, "max_connections", 10):
        held = [mariadb.connect() for _ in range(9)]
        assert what_is_said(url) == "the database has as many connections as it takes"
        for connection in held:
            connection.close()


def test_a_database_that_was_not_created_says_so(url: str) -> None:
    elsewhere = make_url(url).set(database="elsewhere").render_as_string(hide_password=False)
    assert what_is_said(elsewhere) == ("the database is not there: create the one that DATABASE_URL names")


def test_a_value_that_does_not_fit_is_an_error_and_never_cut(url: str) -> None:
    assert what_is_said(url, "INSERT INTO guests VALUES ('Lovelace')") == "the database fails (error 1406)"
    engine = open_engine(url)
    with transaction(engine) as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM guests")).scalar() == 0
    engine.dispose()


def test_a_row_that_somebody_else_holds_is_waited_for_no_longer_than_the_limit(
    mariadb: MariaDbServer, url: str
) -> None:
    with mariadb.connect("engines") as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO guests VALUES ('bob')")
        # A statement's own limit stands in for the session's 30 seconds.
        hasty = "SET STATEMENT innodb_lock_wait_timeout = 1 FOR INSERT INTO guests VALUES ('bob')"
        assert what_is_said(url, hasty) == "the database is busy with another transaction on the same rows"


def test_a_statement_without_an_answer_is_given_up(url: str) -> None:
    assert what_is_said(url, "SELECT SLEEP(20)", answer_seconds=1) == (
        "the database does not answer (error 2013)"
    )


def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up() -> None:
    with closing(socket.create_server((HOST, 0))) as listener:
        url = f"mysql+pymysql://{USER}:x@{HOST}:{listener.getsockname()[1]}/gold"
        assert what_is_said(url, answer_seconds=1) == "the database does not answer (error 2013)"
