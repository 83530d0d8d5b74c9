"""Files that were just written through the gateway, so that the next call about them need not look again."""

from collections import OrderedDict
from collections.abc import Mapping

from multidict import CIMultiDict, CIMultiDictProxy

from backend.local.datalake_gateway.blobs import Blob

_KEPT = 1024


class FreshFiles:
    """Remembers the last files that were created or written.

    It may only be believed together with the entity tag, as a condition of what is done: a call that came
    between fails the condition.
    """

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[str, str], Blob] = OrderedDict()

    def remember(
        self, container: str, path: str, written: Mapping[str, str], answered: Mapping[str, str], size: int
    ) -> None:
        """Remember a file by the headers it was written with and those that Azurite answered."""
        headers = {name.lower().removeprefix("x-ms-blob-"): value for name, value in written.items()}
        headers |= {name: answered[name] for name in ("ETag", "Last-Modified")}
        headers["content-length"] = str(size)
        self._files[container, path] = Blob(CIMultiDictProxy(CIMultiDict(headers)))
        if len(self._files) > _KEPT:
            self._files.popitem(last=False)

    def take(self, container: str, path: str) -> Blob | None:
        """What is remembered of a file, which is then forgotten: whoever takes it is about to change it."""
        return self._files.pop((container, path), None)

    def forget(self, container: str) -> None:
        """Something was deleted in a container, or written past the DFS calls."""
        for known in [known for known in self._files if known[0] == container]:
            del self._files[known]
