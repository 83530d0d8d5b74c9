"""Engines for the operational database: SQLite by default, MySQL or MariaDB by URL (`mysql+pymysql://…`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from backend.domain.errors import InvalidSettings, Unavailable

LONG_ANSWER_SECONDS = 300
"""Of statements on whole datasets; the longest deletes the rows of a large dataset's earlier job."""

_ANSWER_SECONDS = 30
_SQLITE_BUSY_SECONDS = 10
_SQLITE_CACHE_KIB = 64 << 10
_SQLITE_PAGE_BYTES = 16 << 10
_MYSQL_CONNECT_SECONDS = 5
# A value that does not fit is an error under any server's settings, and a lock is not waited for forever.
_MYSQL_SESSION = "SET SESSION sql_mode = 'TRADITIONAL', time_zone = '+00:00', innodb_lock_wait_timeout = 30"

# The numbers of the driver's own errors: it does not reach the server, or has lost it.
_CLIENT_ERRORS = {0, *range(2000, 3000)}
_NO_ANSWER = "does not answer"
_OTHER_SCHEMA = "has another schema than this version of the service: run `python -m backend migrate`"
_FULL = "is full"
_REFUSES = "refuses the service's user"
_BUSY = "is busy with another transaction on the same rows"
_READ_ONLY = "can only be read"
_TOO_MANY = "has as many connections as it takes"
_WORDS = {
    1021: _FULL,
    1030: _FULL,
    1040: _TOO_MANY,
    1044: _REFUSES,
    1045: _REFUSES,
    1049: "is not there: create the one that DATABASE_URL names",
    1054: _OTHER_SCHEMA,
    1114: _FULL,
    1142: _REFUSES,
    1146: _OTHER_SCHEMA,
    1203: _TOO_MANY,
    1205: _BUSY,
    1213: _BUSY,
    1290: _READ_ONLY,
    1792: _READ_ONLY,
    1836: _READ_ONLY,
    3159: "takes encrypted connections only: add ?ssl_ca=FILE to DATABASE_URL",
}
_SQLITE_WORDS = (
    ("disk is full", _FULL),
    ("readonly", "can only be read"),
    ("locked", "is busy with another transaction"),
    ("no such table", _OTHER_SCHEMA),
    ("no such column", _OTHER_SCHEMA),
)


def open_engine(
    url: str,
    answer_seconds: int = _ANSWER_SECONDS,
    busy_seconds: int = _SQLITE_BUSY_SECONDS,
    survives_power_failure: bool = True,
) -> Engine:
    """An engine; nothing is connected yet.

    Args:
        url: SQLAlchemy's URL of the database.
        answer_seconds: how long MySQL's answer to one statement is waited for.
        busy_seconds: how long another process's writing to SQLite is waited for.
        survives_power_failure: whether SQLite's every commit is on the disk before it returns. What is not
            may lose its last commits with the power, but never with a process.

    Raises:
        InvalidSettings: the URL names no usable database.
    """
    try:
        if make_url(url).get_backend_name() == "sqlite":
            return _sqlite(url, busy_seconds, "FULL" if survives_power_failure else "NORMAL")
        return create_engine(
            url,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args={
                "connect_timeout": _MYSQL_CONNECT_SECONDS,
                "read_timeout": answer_seconds,
                "write_timeout": answer_seconds,
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
        return _WORDS.get(code) or f"{_NO_ANSWER if code in _CLIENT_ERRORS else 'fails'} (error {code})"
    return next((words for sign, words in _SQLITE_WORDS if sign in str(code)), _NO_ANSWER)


def _sqlite(url: str, busy_seconds: int, synchronous: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": busy_seconds})

    def prepare(connection: Any, _record: object) -> None:
        # Of a new file; with pages of 4 KiB a load of 40,000 rows takes a sixth longer.
        connection.execute(f"PRAGMA page_size={_SQLITE_PAGE_BYTES}")
        # Readers and one writer work at the same time, as every thread of the API does.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        # What a job of the small path writes fits; with the 2 MiB that SQLite comes with, a load of 40,000
        # rows takes a sixth longer.
        connection.execute(f"PRAGMA cache_size=-{_SQLITE_CACHE_KIB}")

    event.listen(engine, "connect", prepare)
    return engine
