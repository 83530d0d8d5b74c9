"""What makes a rename one step for everybody else, though Azurite takes two."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager


class Gate:
    """Let many through together, or one alone. Who wants to be alone keeps those who come later waiting."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._inside = 0
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Be inside together with others."""
        # It may have closed again by the time this task runs.
        while not self._open.is_set():
            await self._open.wait()
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Be inside when nobody else is."""
        async with self._turn:
            self._open.clear()
            try:
                await self._empty.wait()
                yield
            finally:
                self._open.set()


class Gates:
    """One gate for each container."""

    def __init__(self) -> None:
        self._gates: defaultdict[str, Gate] = defaultdict(Gate)

    def of(self, container: str) -> Gate:
        """The gate of one container."""
        return self._gates[container]

    @asynccontextmanager
    async def alone(self, containers: Iterable[str]) -> AsyncIterator[None]:
        """Be alone in several containers; they close in one order, so that two never wait for each other."""
        async with AsyncExitStack() as inside:
            for container in sorted(set(containers)):
                await inside.enter_async_context(self.of(container).alone())
            yield
