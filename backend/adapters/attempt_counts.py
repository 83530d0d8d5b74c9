"""Counts of attempts in the operational database, which every process of the API shares."""

import time
from hashlib import sha256

from sqlalchemy import Insert, case, delete, select
from sqlalchemy.dialects import mysql, sqlite

from backend.adapters.database_engine import open_engine, transaction
from backend.adapters.operational_schema import CREDENTIAL_ATTEMPTS

_ANSWER_SECONDS = 2
_CLEANING_SECONDS = 60


class AttemptCountDatabase:
    """Implements `AttemptCounts`. Keys are kept as digests: they name people and where they are.

    Args:
        url: SQLAlchemy's URL of the database. It is not waited for as long as for data.

    Raises:
        InvalidSettings: the URL names no database that can be used.
    """

    def __init__(self, url: str) -> None:
        # A power failure may forget the last few guesses; waiting for the disk would slow every login.
        self._engine = open_engine(url, _ANSWER_SECONDS, _ANSWER_SECONDS, survives_power_failure=False)
        self._cleaned_at = 0

    def add(self, key: str, amount: int, window_seconds: int) -> int:
        """Count attempts; how many the window has now. One that is over begins anew. Raises Unavailable."""
        now, digest = int(time.time()), _digest(key)
        self._forget_what_is_over(now)
        attempts = select(CREDENTIAL_ATTEMPTS.c.attempts).where(CREDENTIAL_ATTEMPTS.c.key_digest == digest)
        with transaction(self._engine) as connection:
            # The row stays locked until the transaction ends, so that each process reads its own count.
            connection.execute(self._upsert(digest, amount, now, now + window_seconds))
            return int(connection.execute(attempts).scalar_one())

    def window(self, key: str) -> tuple[int, int]:
        """How many attempts the present window has, and when it ends: now, where there is none.

        Raises:
            Unavailable: the database does not answer.
        """
        now, table = int(time.time()), CREDENTIAL_ATTEMPTS.c
        query = select(table.attempts, table.ends_at).where(
            table.key_digest == _digest(key), table.ends_at > now
        )
        with transaction(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return (0, now) if row is None else (row.attempts, row.ends_at)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _upsert(self, digest: str, amount: int, now: int, ends_at: int) -> Insert:
        table = CREDENTIAL_ATTEMPTS.c
        over = table.ends_at <= now
        # In this order: MySQL computes the second from what the first has made.
        changes = [
            ("attempts", case((over, amount), else_=table.attempts + amount)),
            ("ends_at", case((over, ends_at), else_=table.ends_at)),
        ]
        row = {"key_digest": digest, "attempts": amount, "ends_at": ends_at}
        if self._engine.dialect.name == "sqlite":
            statement = sqlite.insert(CREDENTIAL_ATTEMPTS).values(row)
            return statement.on_conflict_do_update(index_elements=[table.key_digest], set_=dict(changes))
        return mysql.insert(CREDENTIAL_ATTEMPTS).values(row).on_duplicate_key_update(changes)

    def _forget_what_is_over(self, now: int) -> None:
        if now < self._cleaned_at + _CLEANING_SECONDS:
            return
        self._cleaned_at = now
        with transaction(self._engine) as connection:
            connection.execute(delete(CREDENTIAL_ATTEMPTS).where(CREDENTIAL_ATTEMPTS.c.ends_at <= now))


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
