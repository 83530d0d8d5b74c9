"""How an error is told to a job's owner."""

from backend.domain.errors import OrchestratorError

_LONGEST = 500


def words_for_owner(error: Exception) -> str:
    """Our own errors in their words, others by their kind; one line of at most 500 characters."""
    words = next(iter(str(error).splitlines()), "")
    own = isinstance(error, OrchestratorError) and words
    return (words if own else f"{type(error).__name__}: {words}")[:_LONGEST]
