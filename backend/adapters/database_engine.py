"""Engines for the operational database: SQLite by default, MySQL or MariaDB by URL (`mysql+pymysql://…`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from backend.domain.errors import InvalidSettings, Unavailable

_SQLITE_BUSY_SECONDS = 10
_MYSQL_CONNECT_SECONDS = 5
_MYSQL_ANSWER_SECONDS = 120
# A value that does not fit is an error under any server's settings, and a lock is not waited for forever.
_MYSQL_SESSION = "SET SESSION sql_mode = 'TRADITIONAL', time_zone = '+00:00', innodb_lock_wait_timeout = 30"

_NO_ANSWER = "does not answer"
_OTHER_SCHEMA = "has another schema than this version of the service: run `python -m backend migrate`"
_FULL = "is full"
_WORDS = {
    1021: _FULL,
    1030: _FULL,
    1114: _FULL,
    1044: "refuses the service's user",
    1045: "refuses the service's user",
    1142: "refuses the service's user",
    1205: "is busy with another transaction on the same rows",
    1213: "is busy with another transaction on the same rows",
    1290: "can only be read",
    1836: "can only be read",
    1054: _OTHER_SCHEMA,
    1146: _OTHER_SCHEMA,
}
_SQLITE_WORDS = (
    ("disk is full", _FULL),
    ("readonly", "can only be read"),
    ("locked", "is busy with another transaction"),
    ("no such table", _OTHER_SCHEMA),
    ("no such column", _OTHER_SCHEMA),
)


def open_engine(url: str) -> Engine:
    """An engine; nothing is connected yet. Raises InvalidSettings when the URL names no usable database."""
    try:
        if make_url(url).get_backend_name() == "sqlite":
            return _sqlite(url)
        return create_engine(
            url,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args={
                "connect_timeout": _MYSQL_CONNECT_SECONDS,
                "read_timeout": _MYSQL_ANSWER_SECONDS,
                "write_timeout": _MYSQL_ANSWER_SECONDS,
                "charset": "utf8mb4",
                "init_command": _MYSQL_SESSION,
            },
        )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        # Without the URL itself: it may hold a password.
        raise InvalidSettings("DATABASE_URL names no database that can be used") from error


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A connection whose work is kept whole, or not at all.

    Raises:
        IntegrityError: a key is taken.
        Unavailable: anything else that the database says, in words that hold no data and no password.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        # Not from SQLAlchemy's own error, which quotes the statement with its rows.
        cause = error.orig if isinstance(error, DBAPIError) else None
        raise Unavailable(f"the database {_what_is_wrong(cause)}") from cause


def _what_is_wrong(cause: BaseException | None) -> str:
    code = cause.args[0] if cause is not None and cause.args else None
    if isinstance(code, int):
        return _WORDS.get(code, f"{_NO_ANSWER} (error {code})")
    return next((words for sign, words in _SQLITE_WORDS if sign in str(code)), _NO_ANSWER)


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _SQLITE_BUSY_SECONDS})
    event.listen(engine, "connect", _write_ahead)
    return engine


def _write_ahead(connection: Any, _record: object) -> None:
    """Let readers and one writer work at the same time, as every thread of the API does."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
