"""Migrations of the operational database that are broken off, repeated, simultaneous, or too late."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from backend import command_line
from backend.adapters.database_engine import open_engine
from backend.adapters.operational_database import OperationalDatabase
from backend.adapters.operational_schema import METADATA
from backend.adapters.schema_migration import migrate
from backend.domain.errors import Unavailable
from tests.mariadb_server import MariaDbServer

LATER = "the database has the schema of a later version of the service: run that version"


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gold.sqlite'}"
    server: MariaDbServer = request.getfixturevalue("mariadb")
    return server.create_database(f"schema_{secrets.token_hex(6)}")


def run(url: str, *statements: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def is_complete(url: str) -> bool:
    """Whether the schema is the one that the code expects, and says so."""
    database = OperationalDatabase(url)
    database.ping()
    database.close()
    engine = open_engine(url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()
    return differences == []


def test_a_migration_that_was_broken_off_is_taken_up(url: str) -> None:
    migrate(url)
    run(
        url,
        "INSERT INTO users VALUES ('1', 'Ada', 'ada', 'hash')",
        "DROP TABLE agg_product_metrics",
        "DROP TABLE dim_time",
        "DELETE FROM alembic_version",
    )
    migrate(url)
    assert is_complete(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT username FROM users")).all() == [("Ada",)]
    engine.dispose()


def test_a_migration_waits_for_another_one(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [url] * 4))
    assert is_complete(url)


def test_the_schema_of_a_later_version_is_left_as_it_is(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(url)
    run(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable) as caught:
        migrate(url)
    assert str(caught.value) == LATER
    monkeypatch.setenv("DATABASE_URL", url)
    assert command_line.main(["migrate"]) == 1
    assert capsys.readouterr().err == f"migrate: {LATER}\n"
