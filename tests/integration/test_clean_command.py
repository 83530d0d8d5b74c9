import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest

SAMPLE = Path(__file__).parent.parent / "data" / "bronze_sample.json"
AS_OF = "2026-11-22T21:00:00Z"


def _clean(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "backend", "clean", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_sample_is_cleaned_into_every_file_that_the_manifest_names(tmp_path: Path) -> None:
    done = _clean(SAMPLE, "--out", tmp_path, "--as-of", AS_OF)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "60 records: 60 Silver rows, 0 duplicates removed, 0 quarantined\n"
    manifest = json.loads((tmp_path / "_manifest.json").read_text())
    assert {key: manifest[key] for key in ("version", "jobId", "asOf", "engine", "counts")} == {
        "version": 1,
        "jobId": "local",
        "asOf": AS_OF,
        "engine": "pandas",
        "counts": {"recordsIn": 60, "silverRows": 60, "duplicatesRemoved": 0, "quarantined": 0},
    }
    assert [(output["table"], output["path"], output["rows"]) for output in manifest["outputs"]] == [
        ("silver", "silver.parquet", 60),
        ("quarantine", "quarantine.parquet", 0),
        ("dim_users", "gold/dim_users.parquet", 60),
        ("dim_location", "gold/dim_location.parquet", 60),
        ("dim_products", "gold/dim_products.parquet", 60),
        ("dim_time", "gold/dim_time.parquet", 1),
        ("fact_orders", "gold/fact_orders.parquet", 60),
        ("agg_user_metrics", "gold/agg_user_metrics.parquet", 60),
        ("agg_product_metrics", "gold/agg_product_metrics.parquet", 60),
    ]
    for output in manifest["outputs"]:
        (file,) = output["files"]
        content = (tmp_path / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), sha256(content).hexdigest())
        assert pq.read_metadata(tmp_path / file["path"]).num_rows == output["rows"]
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) == 10


def test_parts_are_told_apart_by_their_file_names_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    first, second = tmp_path / "one" / "b.json", tmp_path / "a.json"
    record = '{"order": {"id": "o%d"}, "user": {"id": "u"}}'
    first.write_text(f"[{record % 1}]")
    second.write_text(f"[{record % 2}, 7]")
    assert _clean(first, second, "--out", tmp_path / "out").returncode == 0
    silver = pq.read_table(tmp_path / "out" / "silver.parquet").to_pylist()
    places = {(row["order_id"], row["source_part"], row["source_row"]) for row in silver}
    assert places == {("o1", "b.json", 0), ("o2", "a.json", 0)}
    quarantine = pq.read_table(tmp_path / "out" / "quarantine.parquet").to_pylist()
    assert quarantine == [
        {"source_part": "a.json", "source_row": 1, "reasons": ["not_an_object"], "raw": "7"}
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.json"],
        ["--out", "out"],
        ["a.json", "--out", "out", "--engine", "sqlite"],
        ["a.json", "--out", "out", "--as-of", "yesterday"],
        ["a.json", "--out", "out", "--as-of", "1899-12-31"],
        ["one/a.json", "two/a.json", "--out", "out"],
    ],
)
def test_bad_usage_exits_with_2(arguments: list[str]) -> None:
    done = _clean(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: " in done.stderr


def test_a_malformed_part_exits_with_1_and_one_line_and_leaves_no_manifest(tmp_path: Path) -> None:
    good, bad, out = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "out"
    good.write_text("[]")
    bad.write_text("[1,]")
    assert _clean(good, "--out", out).returncode == 0
    done = _clean(good, bad, "--out", out)
    assert done.returncode == 1
    assert done.stderr.startswith("clean: bad.json: ")
    assert done.stderr.endswith("at byte 3\n")
    assert done.stderr.count("\n") == 1
    assert not (out / "_manifest.json").exists()


@pytest.mark.parametrize("part", ["missing.json", "folder"])
def test_a_part_that_can_not_be_read_exits_with_1_and_one_line(tmp_path: Path, part: str) -> None:
    (tmp_path / "folder").mkdir()
    done = _clean(tmp_path / part, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert part in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_output_folder_that_is_a_file_exits_with_1_and_one_line(tmp_path: Path) -> None:
    part = tmp_path / "a.json"
    part.write_text("[]")
    done = _clean(part, "--out", part)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("as_of", ["2026-11-22", "1795381200", " 2026-11-22 21:00 +00:00 "])
def test_as_of_is_read_by_the_rule_instant(tmp_path: Path, as_of: str) -> None:
    assert _clean(SAMPLE, "--out", tmp_path, "--as-of", as_of).returncode == 0
    manifest = json.loads((tmp_path / "_manifest.json").read_text())
    assert manifest["asOf"].startswith("2026-11-22T")


def test_pyspark_gives_the_same_rows_and_says_that_it_was_there(tmp_path: Path) -> None:
    hidden, plain = tmp_path / "_a [1].json", tmp_path / "b.json"
    hidden.write_bytes(SAMPLE.read_bytes())
    plain.write_text('[7, {"order": {"id": "o"}, "user": {"id": "u"}}]')
    arguments = (hidden, plain, "--as-of", AS_OF, "--out")
    assert _clean(*arguments, tmp_path / "pandas").returncode == 0
    done = _clean(*arguments, tmp_path / "spark", "--engine", "pyspark")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "62 records: 61 Silver rows, 0 duplicates removed, 1 quarantined\n"
    manifest = json.loads((tmp_path / "spark" / "_manifest.json").read_text())
    assert manifest["engine"] == "pyspark"
    for output in manifest["outputs"]:
        rows, expected = (
            pq.read_table(tmp_path / engine / output["path"]).to_pylist() for engine in ("spark", "pandas")
        )
        assert sorted(map(repr, rows)) == sorted(map(repr, expected))


def test_pyspark_tells_of_a_malformed_part_in_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("[1,]")
    done = _clean(bad, "--out", tmp_path / "out", "--engine", "pyspark")
    assert done.returncode == 1
    assert done.stderr.startswith("clean: bad.json: ")
    assert done.stderr.count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_running_again_gives_the_same_bytes(tmp_path: Path) -> None:
    for out in ("first", "second"):
        assert _clean(SAMPLE, "--out", tmp_path / out, "--as-of", AS_OF).returncode == 0
    first, second = (
        {path.relative_to(tmp_path / out): path.read_bytes() for path in (tmp_path / out).rglob("*.*")}
        for out in ("first", "second")
    )
    assert first == second
