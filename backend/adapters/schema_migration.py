"""Bringing the operational database to the schema that this version of the service needs."""

from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config

from backend.adapters.database_engine import open_engine, transaction

_MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(url: str) -> None:
    """Apply the migrations that a database lacks; one at the time, and none when it lacks none.

    Raises:
        InvalidSettings: the URL names no usable database.
        Unavailable: the database does not answer, or refuses.
    """
    engine = open_engine(url)
    try:
        with transaction(engine) as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def migration_script(dialect_url: str) -> str:
    """The SQL of every migration, for a database administrator who applies it by hand."""
    output = StringIO()
    config = _config(output)
    config.set_main_option("sqlalchemy.url", dialect_url)
    command.upgrade(config, "head", sql=True)
    return output.getvalue()


def _config(output: StringIO | None = None) -> Config:
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
