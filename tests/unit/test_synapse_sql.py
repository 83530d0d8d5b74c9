"""The T-SQL of the warehouse as text: no dedicated SQL pool runs here, so nothing below has executed it."""

import re
from pathlib import Path

import pytest
from sqlfluff.core import FluffConfig, Linter

from backend.adapters.synapse_schema import FOLDER, batches, deploy_schema
from backend.adapters.synapse_warehouse import SCHEMA_VERSION
from backend.domain.errors import Unavailable
from backend.transformations.gold_columns import GOLD_COLUMNS, Kind
from infrastructure.synapse import generate
from tests.unit.recorded_connection import DriverError, RecordedConnection

FILES = sorted(path.name for path in FOLDER.glob("*.sql"))
TABLES = (FOLDER / "2_gold_tables.sql").read_text()
PROCEDURES = (FOLDER / "3_procedures.sql").read_text()
LOAD_DATASET = PROCEDURES.partition("CREATE PROCEDURE dw_gold.load_dataset")[2].partition("\nGO")[0]


def test_the_schema_is_made_of_these_files_in_this_order() -> None:
    assert FILES == [
        "1_schema.sql",
        "2_gold_tables.sql",
        "3_procedures.sql",
        "4_roles.sql",
        "5_schema_version.sql",
    ]


@pytest.mark.parametrize("name", FILES)
def test_every_file_parses_as_t_sql_and_breaks_no_rule(name: str) -> None:
    linted = Linter(config=FluffConfig.from_path(str(FOLDER))).lint_path(str(FOLDER / name))

    assert [file.path for file in linted.files] == [str(FOLDER / name)]
    assert [f"{each.line_no}: {each.desc()}" for each in linted.get_violations()] == []


def test_the_parser_would_have_seen_a_fault() -> None:
    broken = TABLES.replace("WITH (DISTRIBUTION", "WITHOUT (DISTRIBUTION", 1)

    linted = Linter(config=FluffConfig.from_path(str(FOLDER))).lint_string(broken)

    assert "PRS" in {each.rule_code() for each in linted.get_violations()}


def test_the_files_that_say_columns_are_what_the_generator_makes() -> None:
    assert generate.gold_tables() == TABLES
    assert generate.procedures() == PROCEDURES


def test_a_text_has_two_utf_16_units_for_each_character_and_no_more_than_a_pool_takes() -> None:
    lengths = [int(length) for length in re.findall(r"NVARCHAR\((\d+)\)", TABLES)]

    assert "[email] NVARCHAR(508) COLLATE Latin1_General_100_BIN2 NULL" in TABLES
    assert max(lengths) == 2000
    assert len(lengths) == 1 + sum(
        column.kind is Kind.TEXT for table in GOLD_COLUMNS for column in table.columns
    )


def test_the_fact_table_is_keyed_by_a_column_that_is_never_null() -> None:
    assert "order_item_key NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NOT NULL" in TABLES
    assert "(owner_id, dataset_id, order_id, order_item_key) NOT ENFORCED" in TABLES
    assert "COALESCE([order_item_id], N'')" in LOAD_DATASET


def test_files_are_staged_and_counted_before_the_transaction_and_rows_are_replaced_within_it() -> None:
    begun, ended = LOAD_DATASET.index("BEGIN TRANSACTION"), LOAD_DATASET.index("COMMIT TRANSACTION")

    for words in ("CREATE TABLE #", "EXEC (@copy)", "THROW 50001"):
        places = [match.start() for match in re.finditer(re.escape(words), LOAD_DATASET)]
        assert len(places) == 7
        assert max(places) < begun
    for words in ("DELETE FROM dw_gold.", "INSERT INTO dw_gold."):
        places = [match.start() for match in re.finditer(re.escape(words), LOAD_DATASET)]
        assert len(places) == 8
        assert begun < min(places)
        assert max(places) < ended


def test_every_staging_table_is_dropped_before_and_after_and_when_the_load_fails() -> None:
    caught = LOAD_DATASET.partition("BEGIN CATCH")[2].partition("END CATCH")[0]

    for table in GOLD_COLUMNS:
        assert LOAD_DATASET.count(f"DROP TABLE #{table.name};") == 3
        assert f"DROP TABLE #{table.name};" in caught
    assert caught.index("ROLLBACK TRANSACTION") < caught.index("DROP TABLE")
    assert caught.rstrip().endswith("THROW;")


def test_staging_has_the_columns_of_the_files_in_their_order() -> None:
    for table in GOLD_COLUMNS:
        staged = LOAD_DATASET.partition(f"CREATE TABLE #{table.name} ")[2].partition("FROM")[0]
        assert re.findall(r"\[(\w+)\]", staged) == [column.name for column in table.columns]


def test_all_paths_together_fit_the_variable_that_is_checked() -> None:
    assert LOAD_DATASET.count("_path NVARCHAR(500)") == 7
    assert "DECLARE @paths NVARCHAR(4000);" in LOAD_DATASET


def test_the_loader_may_make_and_drop_nothing() -> None:
    granted = re.findall(r"^GRANT (.+) TO gold_loader;$", (FOLDER / "4_roles.sql").read_text(), re.MULTILINE)

    assert granted == [
        "EXECUTE ON OBJECT::dw_gold.load_dataset",
        "EXECUTE ON OBJECT::dw_gold.remove_dataset",
        "SELECT, INSERT, UPDATE, DELETE ON SCHEMA::dw_gold",
        "ADMINISTER DATABASE BULK OPERATIONS",
    ]


def test_the_version_is_the_one_that_the_adapter_asks_for() -> None:
    version = (FOLDER / "5_schema_version.sql").read_text()

    assert f"INSERT INTO dw_gold.schema_version (version) VALUES ({SCHEMA_VERSION});" in version


def test_the_schema_is_deployed_batch_by_batch_with_the_version_last() -> None:
    connection = RecordedConnection()

    deploy_schema(connection)

    sent = [statement for statement, _ in connection.executed]
    assert sent == [batch for name in FILES for batch in batches((FOLDER / name).read_text())]
    assert "CREATE SCHEMA dw_gold" in sent[0]
    assert "INSERT INTO dw_gold.schema_version" in sent[-1]
    assert not [batch for batch in sent if re.search(r"^GO\b", batch, re.MULTILINE)]


def test_what_stands_already_is_not_made_again() -> None:
    making = re.compile(r"CREATE (TABLE dw_gold|SCHEMA|ROLE)|ADD CONSTRAINT")
    made = [batch for name in FILES for batch in batches((FOLDER / name).read_text()) if making.search(batch)]
    first_words = [re.sub(r"^(--.*\n|\s)+", "", batch).split()[0] for batch in made]

    assert first_words == ["IF"] * (1 + 2 + 7 + 7 + 4 + 1)


def test_a_batch_that_the_pool_refuses_is_named() -> None:
    connection = RecordedConnection(failing={"CREATE ROLE gold_reader": DriverError("no\npermission")})

    with pytest.raises(Unavailable, match=r"^4_roles\.sql, batch 3: no permission$"):
        deploy_schema(connection)


def test_what_a_later_statement_of_a_batch_raises_is_not_missed() -> None:
    connection = RecordedConnection(failing_later={"DELETE FROM dw_gold.schema_version": DriverError("full")})

    with pytest.raises(Unavailable, match=r"^5_schema_version\.sql, batch 2: full$"):
        deploy_schema(connection)


def test_a_folder_without_the_files_says_where_to_migrate_from(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="has no SQL files: migrate the warehouse from a checkout"):
        deploy_schema(RecordedConnection(), tmp_path)
