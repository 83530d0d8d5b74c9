"""The worker's Spark session: opened in the background, warmed, and watched."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from backend.domain.errors import Unavailable

if TYPE_CHECKING:
    from subprocess import Popen

    from pyspark.sql import SparkSession

# How often Java is looked for, so that nothing has to be started again once it is installed.
_RETRY_SECONDS = 15.0

_LOG = logging.getLogger(__name__)


class SessionState(StrEnum):
    """Whether Spark can run something."""

    STARTING = "starting"
    READY = "ready"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """The state, and a sentence for whoever waits for it to be ready."""

    state: SessionState
    message: str


_STARTING = SessionStatus(SessionState.STARTING, "Spark is starting, which takes some ten seconds")
_READY = SessionStatus(SessionState.READY, "Spark is ready")


class WarmSession:
    """The one session of this process.

    Args:
        folder: for Spark's own files.
        warm_up: has the session do once what every run does, so that no run waits for code to be loaded.
        on_lost: called once there is no session and there will be none.
    """

    def __init__(
        self, folder: Path, warm_up: Callable[["SparkSession"], None], on_lost: Callable[[], None]
    ) -> None:
        self._folder = folder
        self._warm_up = warm_up
        self._on_lost = on_lost
        self._spark: SparkSession | None = None
        self._virtual_machine: Popen[bytes] | None = None
        self.status = _STARTING

    def start(self) -> None:
        """Begin to open the session, and return."""
        threading.Thread(target=self._open, name="session", daemon=True).start()

    @property
    def spark(self) -> "SparkSession":
        """The session. Raises Unavailable."""
        if self._spark is None:
            raise Unavailable(self.status.message)
        return self._spark

    def kill(self) -> None:
        """End the Java virtual machine at once; what it has started ends with it."""
        if self._virtual_machine is not None:
            self._virtual_machine.kill()
            self._virtual_machine.wait()

    def _open(self) -> None:
        try:
            spark = self._first_session()
            self._warm_up(spark)
        except Exception:  # noqa: BLE001 - the edge of this thread, where nobody else would hear of it
            _LOG.exception("Spark could not be started")
            self._on_lost()
            return
        self._spark, self.status = spark, _READY
        _LOG.info("Spark is ready")

    def _first_session(self) -> "SparkSession":
        # Here and not above: it takes a while to load, and the endpoint need not wait for it.
        from pyspark import SparkContext

        from backend.adapters.local_spark import local_session

        while True:
            try:
                spark = local_session(self._folder, quiet=False)
            except Unavailable as error:
                if self.status.message != str(error):
                    _LOG.error("Spark can't be started: %s", error)
                self.status = SessionStatus(SessionState.UNAVAILABLE, str(error))
                time.sleep(_RETRY_SECONDS)
            else:
                # PySpark has no other way to the process that it has started.
                self._watch(cast("Any", SparkContext)._gateway.proc)
                return spark

    def _watch(self, virtual_machine: "Popen[bytes]") -> None:
        def wait() -> None:
            status = virtual_machine.wait()
            _LOG.error("the Java virtual machine has ended with status %d, and every run with it", status)
            self._on_lost()

        self._virtual_machine = virtual_machine
        threading.Thread(target=wait, name="watch", daemon=True).start()
