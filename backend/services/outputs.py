"""Writing what a job made: each table in its place, and the manifest last (data.md, section 4)."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pyarrow as pa

from backend.domain.jobs import Counts
from backend.lake_paths import OutputPaths
from backend.ports import WritableFiles
from backend.transformations import parquet
from backend.transformations.manifest import Output, manifest, single_file

_WRITERS = 4


class OutputWriter:
    """Writes one job's outputs."""

    def __init__(self, files: WritableFiles, paths: OutputPaths) -> None:
        self._files = files
        self._paths = paths

    def withdraw(self) -> None:
        """Remove an earlier manifest first: what is written next makes it untrue."""
        self._files.delete_file(self._paths.manifest)

    def write_tables(self, tables: Mapping[str, pa.Table], on_written: Callable[[str], None]) -> list[Output]:
        """Write tables; `on_written` is told each one's name, in order."""
        outputs: list[Output] = []
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="output") as pool:
            for output in pool.map(self._write_table, tables, tables.values()):
                outputs.append(output)
                on_written(output.table)
        return outputs

    def write_manifest(
        self, job_id: str, as_of: datetime, engine: str, counts: Counts, outputs: list[Output]
    ) -> None:
        """Write the manifest: from here on the outputs count."""
        content = manifest(job_id, as_of, engine, counts, outputs).encode()
        self._files.write(self._paths.manifest, content)

    def _write_table(self, name: str, table: pa.Table) -> Output:
        path = self._paths.table(name)
        content = parquet.encode(table)
        self._files.write(path, bytes(content))
        return single_file(name, path, table.num_rows, content)
