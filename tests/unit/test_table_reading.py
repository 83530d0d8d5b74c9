import csv
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.services.table_reading import TableReader
from backend.transformations.manifest import Output, OutputFile
from tests.fakes import InMemoryFileSystem


def download(table: pa.Table) -> list[dict[str, str]]:
    file = io.BytesIO()
    pq.write_table(table, file)
    lake = InMemoryFileSystem({"t.parquet": file.getvalue()})
    output = Output("t", "t.parquet", table.num_rows, (OutputFile("t.parquet", file.tell(), ""),))
    text = b"".join(TableReader(lake).csv(output)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\x00", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_text_that_begins_as_a_formula_does_gets_an_apostrophe(begin: str) -> None:
    assert download(pa.table({"name": [f'{begin}cmd|"x"']})) == [{"name": f'\'{begin}cmd|"x"'}]


def test_other_text_is_left_alone() -> None:
    names = ["a=1", " =1", "'=1", "1-1", "Zo\u00eb", "a\n=1"]
    assert [row["name"] for row in download(pa.table({"name": names}))] == names


def test_negative_numbers_stay_numbers() -> None:
    table = pa.table(
        {
            "count": [-1],
            "score": [-1.5],
            "amount": pa.array([Decimal("-12.50")], pa.decimal128(12, 2)),
        }
    )
    assert download(table) == [{"count": "-1", "score": "-1.5", "amount": "-12.50"}]
