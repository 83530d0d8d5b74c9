"""The host's log: one JSON object a line on standard error."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("functions_host")


def log_event(event: str, level: int = logging.INFO, **details: Any) -> None:
    """Log what happened, with the function, message and times that it is about."""
    LOGGER.log(level, event, extra={"details": details})


class JsonLines(logging.Formatter):
    """Every record as one line of JSON, whoever logged it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "details", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to_standard_error() -> None:
    """Send the log of this process to standard error; the Azure SDKs' only from warnings on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("azure").setLevel(logging.WARNING)
