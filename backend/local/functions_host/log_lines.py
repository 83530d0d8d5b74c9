"""The host's events in its log."""

import logging
from typing import Any

from backend.telemetry import log_lines

LOGGER = logging.getLogger("functions_host")


def log_event(event: str, level: int = logging.INFO, **details: Any) -> None:
    """Log what happened, with the function, message and times that it is about."""
    log_lines.log_event(LOGGER, level, event, **details)
