"""The services of this process: built at the first call, then shared by all its threads."""

import functools
import threading
from typing import TYPE_CHECKING

from backend.settings import Settings

if TYPE_CHECKING:
    from backend.bootstrap import Services

SERVICE = "functions"
"""What the log and the traces call this process."""

_BUILDING = threading.Lock()


def process_services() -> "Services":
    """The services, built from the environment; they build their own parts when first asked for them."""
    # functools.cache alone would let two first calls at the same time build two sets of clients.
    with _BUILDING:
        return _build()


@functools.cache
def _build() -> "Services":
    # Here and not above: the import of the app must not wait for the Azure SDKs.
    from backend.bootstrap import build_services, send_traces

    settings = Settings.from_environment()
    send_traces(settings, SERVICE)
    return build_services(settings)
