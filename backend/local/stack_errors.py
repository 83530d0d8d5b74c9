"""What can go wrong with the stack as a whole."""

from backend.domain.errors import OrchestratorError


class StackFailed(OrchestratorError):
    """The stack can't start or go on; the message is one line for the person who started it."""
