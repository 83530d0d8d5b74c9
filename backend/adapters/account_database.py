"""The accounts in the operational database."""

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from backend.adapters.database_engine import open_engine, transaction
from backend.adapters.operational_schema import USERS
from backend.domain.errors import Conflict
from backend.ports import Account


class AccountDatabase:
    """Implements `AccountStore`.

    Args:
        url: SQLAlchemy's URL of the database.

    Raises:
        InvalidSettings: the URL names no database that can be used.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)

    def add(self, account: Account) -> None:
        """Insert an account. Raises Conflict when the username is taken (ignoring case)."""
        row = {
            "user_id": account.user_id,
            "username": account.username,
            "username_lowered": account.username.lower(),
            "password_hash": account.password_hash,
        }
        try:
            with transaction(self._engine) as connection:
                connection.execute(insert(USERS).values(row))
        except IntegrityError as error:
            raise Conflict(f"the username {account.username} is taken", "username_taken") from error

    def find(self, username: str) -> Account | None:
        """The account of a username (ignoring case), or None."""
        query = select(USERS).where(USERS.c.username_lowered == username.lower())
        with transaction(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Account(row.user_id, row.username, row.password_hash)

    def ping(self) -> None:
        """Raise if the database does not answer, or has no accounts table."""
        with transaction(self._engine) as connection:
            connection.execute(select(USERS.c.user_id).limit(1)).all()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
