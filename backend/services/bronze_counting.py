"""How many records a dataset holds that an operator put into Bronze by hand."""

import msgspec

from backend import lake_paths
from backend.ports import FileSystem, LakeFile

_TYPICAL_RECORD_BYTES = 3_000


class BronzeCounter:
    """Counts records as far as the choice of a path needs it.

    Args:
        record_limit: the greatest number of records that takes the small path; there counting ends.
        byte_limit: the greatest size of a dataset that takes the small path; a larger one is not read.
    """

    def __init__(self, bronze: FileSystem, record_limit: int, byte_limit: int) -> None:
        self._bronze = bronze
        self._record_limit = record_limit
        self._byte_limit = byte_limit

    def holds(self, user_id: str, parent_job_id: str) -> bool:
        """Whether there is such a dataset in Bronze."""
        return bool(self.parts(user_id, parent_job_id))

    def count(self, user_id: str, parent_job_id: str) -> int | None:
        """The number of records, exact up to the limit and estimated by size beyond; None without a part.

        A part that can't be read counts for nothing: the job will fail with the place and the reason.
        """
        parts = self.parts(user_id, parent_job_id)
        if not parts:
            return None
        size = sum(part.size for part in parts)
        if size > self._byte_limit:
            return max(self._record_limit + 1, size // _TYPICAL_RECORD_BYTES)
        records = bytes_read = 0
        for part in parts:
            records += _records_in(self._bronze.read(part.path))
            bytes_read += part.size
            if records > self._record_limit:
                return records * size // bytes_read
        return records

    def parts(self, user_id: str, parent_job_id: str) -> list[LakeFile]:
        """The files of a dataset that cleaning reads, sorted by path."""
        files = self._bronze.list_files(lake_paths.bronze_dataset(user_id, parent_job_id))
        return [file for file in files if file.path.endswith(".json")]


def _records_in(content: bytes) -> int:
    try:
        return len(msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=list[msgspec.Raw]))
    except (msgspec.DecodeError, RecursionError):
        return 0
