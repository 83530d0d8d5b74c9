"""Places at which a test can kill this process: before, during and after each write of each adapter.

With `FAULT_POINTS` set, on a stack of one machine only, the adapters that write are wrapped, and reach points
such as `before write gold/analytics/dim_users.parquet`. Without it nothing is wrapped. The setting names a
folder, which is the way in from outside:

- `armed` holds a signal and a point, such as `SIGKILL before add dataset`. The first process that comes there
  takes the file away and sends itself the signal.
- `reached`, as long as it is there, gets a line for each point that is reached.
- `tripled`, as long as it is there, has every message sent three times.
"""

import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from backend.domain.jobs import Job

_Adapter = TypeVar("_Adapter")
_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class FaultPoints:
    """The points of one process. It can be pickled, for the processes of Spark.

    Attributes:
        folder: where a test says what is to happen.
    """

    folder: Path

    def reach(self, point: str) -> None:
        """Come to a point, and perhaps no further."""
        if (reached := self.folder / "reached").exists():
            with reached.open("a") as lines:
                lines.write(f"{point}\n")
        if (number := self._armed_with(point)) is not None:
            os.kill(os.getpid(), number)

    def around(self, adapter: _Adapter, **writes: Callable[..., str]) -> _Adapter:
        """An adapter whose calls come to a point before and after.

        Args:
            adapter: what writes.
            writes: for each of its methods that write, what to call a call with such arguments.
        """
        return cast("_Adapter", _Watched(adapter, self, writes))

    def around_files(self, adapter: _Adapter) -> _Adapter:
        """A container of the lake, which also comes to a point while a file is half written."""
        return cast("_Adapter", _WatchedFiles(adapter, self, {"delete_file": _kind, "remove": _kind}))

    def around_jobs(self, adapter: _Adapter) -> _Adapter:
        """The JobProgress table, whose points tell what the job says next."""
        return cast("_Adapter", _WatchedJobs(adapter, self, {}))

    def around_tables(self, service: _Adapter) -> _Adapter:
        """All tables, with a point at each row that is put in or taken out.

        Rows that are replaced have their points where it is known what they say: `around_jobs`.
        """
        return cast("_Adapter", _WatchedTables(service, self, {}))

    def around_queues(self, adapter: _Adapter) -> _Adapter:
        """The queues, on which messages may be tripled."""
        return cast("_Adapter", _WatchedQueues(adapter, self, {"send": lambda queue, _body: queue}))

    @property
    def copies(self) -> int:
        """How often each message is sent."""
        return 3 if (self.folder / "tripled").exists() else 1

    def _armed_with(self, point: str) -> signal.Signals | None:
        file = self.folder / "armed"
        try:
            number, _, armed = file.read_text().partition(" ")
            if armed != point:
                return None
            file.rename(self.folder / f"fired-{os.getpid()}")
        except FileNotFoundError:
            return None
        return signal.Signals[number]


class _Watched:
    def __init__(self, adapter: Any, points: FaultPoints, writes: dict[str, Callable[..., str]]) -> None:
        self._adapter = adapter
        self._points = points
        self._writes = writes

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._adapter, name)
        if name not in self._writes:
            return called

        def call(*arguments: Any, **named: Any) -> Any:
            step = f"{name} {self._writes[name](*arguments, **named)}".rstrip()
            self._points.reach(f"before {step}")
            answer = called(*arguments, **named)
            self._points.reach(f"after {step}")
            return answer

        return call


class _WatchedFiles(_Watched):
    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        kind = _kind(path)
        self._points.reach(f"before write {kind}")
        self._adapter.write(path, self._broken_off(kind, content))
        self._points.reach(f"after write {kind}")

    def _broken_off(self, kind: str, content: bytes | Iterable[bytes]) -> Iterator[bytes]:
        yield from [content] if isinstance(content, bytes) else content
        self._points.reach(f"during write {kind}")


class _WatchedQueues(_Watched):
    def __getattr__(self, name: str) -> Any:
        called = super().__getattr__(name)
        if name not in self._writes:
            return called

        def send(*arguments: Any) -> Any:
            for _ in range(self._points.copies - 1):
                called(*arguments)
            return called(*arguments)

        return send


class _WatchedTables(_Watched):
    def get_table_client(self, name: str) -> Any:
        def row(entity: dict[str, Any], **_: Any) -> str:
            return f"{name} {entity.get('status', '')}"

        writes: dict[str, Callable[..., str]] = {
            "create_entity": row,
            "upsert_entity": row,
            "delete_entity": lambda *_: name,
            "submit_transaction": lambda _: name,
        }
        return _Watched(self._adapter.get_table_client(name), self._points, writes)


class _WatchedJobs(_Watched):
    def update(self, user_id: str, job_id: str, change: Callable[[Job], Job]) -> Job:
        step = ""

        def watched(job: Job) -> Job:
            nonlocal step
            after = change(job)
            # Beats come when they come.
            if replace(after, heartbeat_at=job.heartbeat_at) != job:
                step = f"progress {after.status}: {after.stage}"
                self._points.reach(f"before {step}")
            return after

        job: Job = self._adapter.update(user_id, job_id, watched)
        if step:
            self._points.reach(f"after {step}")
        return job


def _kind(path: str) -> str:
    """A path without what differs from job to job."""
    names = [name for name in path.split("/") if not _ID.match(name) and not _DAY.match(name)]
    return "/".join(names) or "a job's file"
