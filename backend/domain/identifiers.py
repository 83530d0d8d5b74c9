"""Identifiers: how they are made, and the form that is checked before they touch storage."""

import re
import secrets
from datetime import UTC, datetime
from hashlib import sha256

_HEX_32 = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_LAST_MILLISECOND = (1 << 48) - 1


def new_user_id() -> str:
    """A stable user id: 32 hex digits, safe in a storage path."""
    return secrets.token_hex(16)


def new_job_id(now: datetime | None = None) -> str:
    """A job id: 32 hex digits that sort newest first, as Table storage returns rows by RowKey.

    The first 12 digits count the milliseconds down (Azure's "log tail" pattern), the rest are random.
    """
    return _counted_down(now or datetime.now(UTC)) + secrets.token_hex(10)


def notification_id(moment: datetime, occasion: str) -> str:
    """A notification's id: the same for the same occasion and moment; they sort as `new_job_id`'s do."""
    return _counted_down(moment) + sha256(occasion.encode()).hexdigest()[:20]


def made_at(job_id: str) -> datetime:
    """When an id of `new_job_id` was made, to the millisecond."""
    return datetime.fromtimestamp((_LAST_MILLISECOND - int(job_id[:12], 16)) / 1000, UTC)


def is_user_id(text: str) -> bool:
    """Whether `text` has the form of `new_user_id`."""
    return _HEX_32.fullmatch(text) is not None


def is_job_id(text: str) -> bool:
    """Whether `text` has the form of `new_job_id`."""
    return _HEX_32.fullmatch(text) is not None


def is_notification_id(text: str) -> bool:
    """Whether `text` has the form of `notification_id`."""
    return _HEX_32.fullmatch(text) is not None


def is_dataset_id(text: str) -> bool:
    """Whether `text` can name a dataset: ours, or one that an operator put into Bronze by hand."""
    return _NAME.fullmatch(text) is not None


def _counted_down(moment: datetime) -> str:
    return f"{_LAST_MILLISECOND - int(moment.timestamp() * 1000):012x}"
