"""The errors that the service names. Each carries a message that says what to do."""


class OrchestratorError(Exception):
    """What every typed error of this project derives from."""


class InvalidRequest(OrchestratorError):
    """A caller sent something that can't be accepted; `code` is the API's snake_case error code."""

    def __init__(self, message: str, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.code = code


class NotFound(OrchestratorError):
    """There is no such thing, or it belongs to somebody else; callers can't tell which."""


class Conflict(OrchestratorError):
    """The request contradicts the present state; `code` is the API's snake_case error code."""

    def __init__(self, message: str, code: str = "conflict") -> None:
        super().__init__(message)
        self.code = code


class TooLarge(OrchestratorError):
    """The input is over a limit of the settings."""


class NotAuthenticated(OrchestratorError):
    """The caller has not shown who they are; `code` is the API's snake_case error code."""

    def __init__(self, message: str, code: str = "not_authenticated") -> None:
        super().__init__(message)
        self.code = code


class Unavailable(OrchestratorError):
    """Storage or the database does not answer; the same call may work later."""


class Busy(OrchestratorError):
    """As many callers as there may be are served already; nothing was begun for this one."""


class StillWorking(OrchestratorError):
    """What a caller waits for takes longer than they are let wait; it goes on without them."""


class TooManyOpenJobs(OrchestratorError):
    """A user has as many jobs that have not ended as they may have."""


class TooManyEventStreams(OrchestratorError):
    """A user has as many event streams open as one may have."""


class LeaseLost(OrchestratorError):
    """A message's lease ran out, and somebody else may have it now."""


class InvalidMessage(OrchestratorError):
    """A queue message is not what its queue carries; it belongs in the poison queue."""


class MalformedPart(OrchestratorError):
    """A Bronze part is not a JSON array in well-formed UTF-8 (data.md, section 1).

    Running the job again can't help, so it fails on the first attempt.
    """

    def __init__(self, part: str, byte: int, reason: str) -> None:
        super().__init__(f"{part}: {reason} at byte {byte}")
        self.part = part
        self.byte = byte
        self.reason = reason


class PartsMissing(OrchestratorError):
    """A dataset has fewer parts in Bronze than it is known to have; what is there is not cleaned alone."""


class ConservationViolated(OrchestratorError):
    """Records in are not Silver rows + duplicates removed + quarantined rows (data.md, Conservation)."""


class ResultOverflow(OrchestratorError):
    """A computed sum does not fit its column (data.md, section 4); the job fails."""


class ValueTooLong(OrchestratorError):
    """A text is longer than its column in a database takes; loading it again can't help."""

    def __init__(self, destination: str, table: str, column: str, length: int, limit: int) -> None:
        super().__init__(
            f"{destination}: {table}.{column} holds a text of {length} characters, and takes {limit}"
        )


class LoadMismatch(OrchestratorError):
    """After a load a table's rows are not as many as the manifest says (nothing of the load is kept)."""


class InvalidSettings(OrchestratorError):
    """The environment does not describe a service that can start."""
