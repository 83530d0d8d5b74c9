"""Bringing the operational database to the schema that this version of the service needs."""

from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.engine import Connection

from backend.adapters.database_engine import LONG_ANSWER_SECONDS, open_engine, transaction
from backend.domain.errors import Unavailable

_MIGRATIONS = Path(__file__).with_name("migrations")

# Of the server: a migration of another of its databases is waited for too, which takes seconds.
_MYSQL_LOCK = "SELECT GET_LOCK('orchestrator_schema', 60)"


def migrate(url: str) -> None:
    """Apply the migrations that a database lacks; one migrates at a time, and the others wait.

    One that was broken off is taken up by the next call.

    Raises:
        InvalidSettings: the URL names no usable database.
        Unavailable: the database does not answer, refuses, or has the schema of a later version.
    """
    engine = open_engine(url, LONG_ANSWER_SECONDS)
    try:
        with transaction(engine) as connection:
            _wait_for_others(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise Unavailable(
            "the database has the schema of a later version of the service: run that version"
        ) from error
    finally:
        engine.dispose()


def migration_script(dialect_url: str) -> str:
    """The SQL of every migration, for a database administrator who applies it by hand."""
    output = StringIO()
    config = _config(output)
    config.set_main_option("sqlalchemy.url", dialect_url)
    command.upgrade(config, "head", sql=True)
    return output.getvalue()


def _wait_for_others(connection: Connection) -> None:
    """Lock, until the connection is closed."""
    if connection.dialect.name == "sqlite":
        # Also makes one transaction of the migrations, which Python's driver would not begin for them.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.exec_driver_sql(_MYSQL_LOCK).scalar() != 1:
        raise Unavailable("the database is being migrated by somebody else")


def _config(output: StringIO | None = None) -> Config:
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
