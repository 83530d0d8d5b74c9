"""The accounts in a database: SQLite by default, MySQL or MariaDB by URL (`mysql+pymysql://…`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Engine, MetaData, String, Table, create_engine, event, insert, select
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from backend.domain.errors import Conflict, InvalidSettings, Unavailable
from backend.ports import Account

_SQLITE_BUSY_SECONDS = 10
_MYSQL_CONNECT_SECONDS = 5

_METADATA = MetaData()
_USERS = Table(
    "users",
    _METADATA,
    Column("user_id", String(32), primary_key=True),
    Column("username", String(64), nullable=False),
    # Databases differ in how they compare text; a username is unique by this column alone.
    Column("username_lowered", String(64), nullable=False, unique=True),
    Column("password_hash", String(255), nullable=False),
)


class AccountDatabase:
    """Implements `AccountStore`.

    Args:
        url: SQLAlchemy's URL of the database.

    Raises:
        InvalidSettings: the URL names no database that can be used.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)

    def create_schema(self) -> None:
        """Create the tables that do not exist."""
        with self._connection() as connection:
            _METADATA.create_all(connection)

    def add(self, account: Account) -> None:
        """Insert an account. Raises Conflict when the username is taken (ignoring case)."""
        row = {
            "user_id": account.user_id,
            "username": account.username,
            "username_lowered": account.username.lower(),
            "password_hash": account.password_hash,
        }
        try:
            with self._connection() as connection:
                connection.execute(insert(_USERS).values(row))
        except IntegrityError as error:
            raise Conflict(f"the username {account.username} is taken", "username_taken") from error

    def find(self, username: str) -> Account | None:
        """The account of a username (ignoring case), or None."""
        query = select(_USERS).where(_USERS.c.username_lowered == username.lower())
        with self._connection() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Account(row.user_id, row.username, row.password_hash)

    def ping(self) -> None:
        """Raise if the database does not answer, or has no accounts table."""
        with self._connection() as connection:
            connection.execute(select(_USERS.c.user_id).limit(1)).all()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise Unavailable("the database does not answer") from error


def _engine(url: str) -> Engine:
    try:
        sqlite = make_url(url).get_backend_name() == "sqlite"
        arguments = (
            {"timeout": _SQLITE_BUSY_SECONDS} if sqlite else {"connect_timeout": _MYSQL_CONNECT_SECONDS}
        )
        engine = create_engine(url, pool_pre_ping=not sqlite, connect_args=arguments)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        # Without the URL itself: it may hold a password.
        raise InvalidSettings("DATABASE_URL names no database that can be used") from error
    if sqlite:
        event.listen(engine, "connect", _write_ahead)
    return engine


def _write_ahead(connection: Any, _record: object) -> None:
    """Let readers and one writer work at the same time, as every thread of the API does."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
