"""The errors that the host names."""


class InvalidFunctionApp(Exception):
    """The app can't be loaded, or asks for something that this host does not offer."""


class UndecodableMessage(Exception):
    """A queue message is not Base64 of UTF-8 text."""


class WorkerExited(Exception):
    """The worker process ended while it ran a function."""


class WorkersStopped(Exception):
    """The host stopped before the function came to its end; the function did not fail."""
