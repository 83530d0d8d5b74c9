"""How an error is told to a job's owner."""

import logging
import traceback
from hashlib import sha256

from backend.domain.errors import OrchestratorError

_LONGEST = 500

_log = logging.getLogger(__name__)


def words_for_owner(error: Exception) -> str:
    """Our own errors in their words; others by their kind and text, with the id of their stack.

    One line of at most 500 characters. The stack itself is logged under the same id.
    """
    words = next(iter(str(error).splitlines()), "")
    if isinstance(error, OrchestratorError) and words:
        return words[:_LONGEST]
    stack_id = _stack_id(error)
    _log.error("stack %s", stack_id, exc_info=error)
    told = f" (stack {stack_id})"
    return f"{type(error).__name__}: {words}"[: _LONGEST - len(told)] + told


def _stack_id(error: Exception) -> str:
    """The same for the same error at the same place in the code, so that its cases can be counted."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.name}:{frame.lineno}" for frame in frames]
    return sha256("\n".join([type(error).__name__, *places]).encode()).hexdigest()[:12]
