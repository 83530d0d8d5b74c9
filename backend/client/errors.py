"""What can go wrong when the service is called. Light to import: it is known before anything is called."""

from backend.domain.errors import OrchestratorError


class ServiceError(OrchestratorError):
    """A call has no good answer; `code` is the API's snake_case error code, or one of the client's own.

    The client's own: `unreachable`, `unexpected_answer`, `not_logged_in`, `invalid_url`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
