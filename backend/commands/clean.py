"""`python -m backend clean`: clean local files without the service (data.md, section 6)."""

import argparse
import json
import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from backend.adapters.local_folder import LocalFolder
from backend.command_line import CommandFailed, ExitStatus
from backend.commands.printing import add_json_argument, print_json
from backend.domain.jobs import Counts
from backend.lake_paths import FOLDER_OUTPUTS
from backend.transformations.bronze import BronzePart
from backend.transformations.instants import parse_instants
from backend.transformations.scalars import float_text, read_scalars

EXAMPLES = (
    "clean orders.json --out cleaned",
    "clean one.json two.json --out cleaned --as-of 2026-11-22T21:00:00Z --json",
    "clean orders.json --out cleaned --engine pyspark",
)

JOB_ID = "local"

_log = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("parts", metavar="PART.json", nargs="+", type=Path, help="a JSON array of records")
    parser.add_argument("--out", metavar="DIR", required=True, type=Path, help="where the outputs go")
    parser.add_argument(
        "--engine", choices=["pandas", "pyspark"], default="pandas", help="default: %(default)s"
    )
    parser.add_argument(
        "--as-of",
        metavar="INSTANT",
        type=_instant,
        help='the moment that rules take for now, such as "2026-11-22T21:00:00Z"; default: now',
    )
    add_json_argument(parser)


def run(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Clean the parts, and print the counts or, with `--json`, the manifest; 0. Bad usage exits with 2."""
    _check_names(arguments.parts, parser)
    clean = _clean_with_spark if arguments.engine == "pyspark" else _clean_with_pandas
    try:
        LocalFolder(arguments.out).delete_file(FOLDER_OUTPUTS.manifest)
        counts = clean(arguments.parts, arguments.out, arguments.as_of or datetime.now(UTC))
    except Exception as error:
        raise CommandFailed("not_cleaned", _one_line(error)) from error
    if arguments.json:
        print_json(json.loads((arguments.out / FOLDER_OUTPUTS.manifest).read_bytes()))
        return ExitStatus.DONE
    print(
        f"{counts.records_in} records: {counts.silver_rows} Silver rows, "
        f"{counts.duplicates_removed} duplicates removed, {counts.quarantined} quarantined"
    )
    return ExitStatus.DONE


def _clean_with_pandas(paths: Sequence[Path], out: Path, as_of: datetime) -> Counts:
    from backend.services.dataset_cleaning import clean_dataset
    from backend.services.outputs import OutputWriter

    parts = (BronzePart(path.name, path.read_bytes()) for path in _by_name(paths))
    writer = OutputWriter(LocalFolder(out), FOLDER_OUTPUTS)
    return clean_dataset(JOB_ID, as_of, parts, writer, _log_progress).counts


def _clean_with_spark(paths: Sequence[Path], out: Path, as_of: datetime) -> Counts:
    from backend.adapters.local_folder import LocalFiles
    from backend.adapters.local_spark import local_session
    from backend.services.spark_dataset_cleaning import SparkRun, clean_dataset_with_spark
    from backend.transformations.pyspark_transforms import SparkPart

    parts = [SparkPart(path.name, str(path.resolve()), _size(path)) for path in _by_name(paths)]
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".spark.", dir=out) as scratch:
        spark = local_session(Path(scratch).resolve())
        try:
            run = SparkRun(spark, LocalFiles(out.resolve()), FOLDER_OUTPUTS)
            return clean_dataset_with_spark(run, JOB_ID, as_of, parts, _log_progress).counts
        finally:
            spark.stop()


def _size(path: Path) -> int:
    """In bytes; raises OSError for what is no file that can be read, before Spark is started for it."""
    with path.open("rb") as part:
        return os.fstat(part.fileno()).st_size


def _log_progress(stage: str, done: int) -> None:
    _log.info("%s: %d steps done", stage, done)


def _instant(text: str) -> datetime:
    micros, valid = parse_instants(read_scalars([[text]], float_text).text)
    if not valid[0]:
        raise argparse.ArgumentTypeError(f"{text!r} is not an instant such as 2026-11-22T21:00:00Z")
    return _EPOCH + timedelta(microseconds=int(micros[0]))


def _check_names(paths: Sequence[Path], parser: argparse.ArgumentParser) -> None:
    names = [path.name for path in paths]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        parser.error(f"two parts of one name: {', '.join(repeated)}")


def _by_name(paths: Sequence[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: path.name.encode())


def _one_line(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError) and error.filename:
        return f"{error.filename}: no such file"
    # The first line of an error from Spark's virtual machine names a call of py4j, the second the error.
    lines = [
        line for line in str(error).splitlines() if not line.startswith("An error occurred while calling")
    ]
    return lines[0].lstrip(": ") if lines else type(error).__name__
