"""Writes the files of this folder that say columns, from the one place where columns stand (gold_columns).

After a change there: `python -m infrastructure.synapse.generate`, and a new schema version. A test compares.
"""

# ruff: noqa: S608 - the statements are made of the project's own names

from collections.abc import Iterator
from pathlib import Path

from backend.adapters.operational_schema import key_column
from backend.transformations.gold_columns import GOLD_COLUMNS, KEY_LENGTH, GoldColumn, GoldTableColumns, Kind

FOLDER = Path(__file__).parent

_TYPES = {
    Kind.INT32: "INT",
    Kind.INT64: "BIGINT",
    Kind.DOUBLE: "FLOAT(53)",
    Kind.MONEY: "DECIMAL(12, 2)",
    Kind.MONEY_SUM: "DECIMAL(18, 2)",
    Kind.DATE: "DATE",
    Kind.INSTANT: "DATETIME2(6)",
    Kind.BOOL: "BIT",
}
_COLLATION = "COLLATE Latin1_General_100_BIN2"
_BY_DATASET = "CLUSTERED INDEX (owner_id, dataset_id)"
_STORAGE = {
    "dim_users": ("HASH (user_id)", "CLUSTERED COLUMNSTORE INDEX"),
    "dim_location": ("REPLICATE", _BY_DATASET),
    "dim_products": ("REPLICATE", _BY_DATASET),
    "dim_time": ("REPLICATE", _BY_DATASET),
    "fact_orders": ("HASH (user_id)", "CLUSTERED COLUMNSTORE INDEX"),
    "agg_user_metrics": ("HASH (user_id)", "CLUSTERED COLUMNSTORE INDEX"),
    "agg_product_metrics": ("HASH (product_id)", _BY_DATASET),
}
_OF_DATASET = "WHERE owner_id = @owner_id AND dataset_id = @dataset_id"

_TABLES_HEAD = """\
-- Made by generate.py from backend/transformations/gold_columns.py.
--
-- Distribution. A join or an aggregation moves no rows if both sides are distributed by the column that is
-- joined or grouped by. What is asked of orders is asked by user, so fact_orders, dim_users and
-- agg_user_metrics lie by user_id, which has as many values as there are users; owner_id and dataset_id have
-- few, and would fill few of the 60 distributions. Orders of no user lie together in one. What is small and
-- joined to everything is replicated; after a load it is copied to the compute nodes again, which is cheap
-- below 2 GB.
--
-- Index. Columnstore for what grows and is read by column. It compresses well from some 60 million rows
-- (a row group of a million in each distribution); before that it is no worse than a heap. The rest is small,
-- and always read and replaced by dataset: a clustered index finds these rows without a scan.
--
-- Texts. A length counts UTF-16 units, and gold_columns counts characters, of which each may take two.
-- Compared by their bits, as in the other databases: ids that differ by case are different ids.
--
-- Keys are not enforced by a pool, which trusts them and answers wrongly if they are broken; load_dataset
-- counts them. They are declared in a text because sqlfluff 4.5 does not know NOT ENFORCED.
"""

_PROCEDURES_HEAD = """\
-- Made by generate.py from backend/transformations/gold_columns.py.
--
-- load_dataset replaces the rows of a dataset by those of a job and answers `loaded`: 1, or 0 when a later
-- job's stand there and nothing is changed. Errors: 50001 when the files hold other rows than the manifest
-- says, told as `gold_load_mismatch: ...` since the driver passes no numbers on; 50002 for an argument that
-- is no id or path.
--
-- A pool allows no CREATE TABLE in a transaction and no transaction in another. So the files are staged and
-- counted before it, and only then are rows replaced, in one. Staging is in temporary tables: they are the
-- session's own, so that a second attempt at the same job can't meet the first one's, and go with a session
-- that dies. They are made without a column more or less than the files have, and in the same order, because
-- COPY INTO matches the columns of Parquet by their place.
-- Paths are put into statements, as COPY INTO takes no variable; hence the check of every character.
-- A managed identity reads Parquet by the endpoint .dfs alone.
"""


def gold_tables() -> str:
    """The tables."""
    return "\n".join([_TABLES_HEAD, *(_table(table) for table in GOLD_COLUMNS)])


def procedures() -> str:
    """The procedures that fill and empty them."""
    return f"{_PROCEDURES_HEAD}\n{_load_dataset()}\n{_remove_dataset()}"


def _table(table: GoldTableColumns) -> str:
    distribution, index = _STORAGE[table.name]
    keys = ", ".join(key_column(table, name) for name in table.key)
    columns = ",\n".join(f"        {column}" for column in _columns(table))
    return f"""\
IF OBJECT_ID('dw_gold.{table.name}') IS NULL
    CREATE TABLE dw_gold.{table.name} (
{columns}
    )
    WITH (DISTRIBUTION = {distribution}, {index});
GO

IF (
    SELECT COUNT(*)
    FROM sys.key_constraints
    WHERE name = 'pk_{table.name}'
) = 0
    EXEC (
        'ALTER TABLE dw_gold.{table.name} ADD CONSTRAINT pk_{table.name}
        PRIMARY KEY NONCLUSTERED (owner_id, dataset_id, {keys}) NOT ENFORCED'
    );
GO
"""


def _columns(table: GoldTableColumns) -> Iterator[str]:
    yield f"owner_id VARCHAR(32) {_COLLATION} NOT NULL"
    yield f"dataset_id VARCHAR(128) {_COLLATION} NOT NULL"
    yield f"job_id VARCHAR(32) {_COLLATION} NOT NULL"
    for name in table.nullable_key:
        yield f"{key_column(table, name)} NVARCHAR({2 * KEY_LENGTH}) {_COLLATION} NOT NULL"
    required = set(table.key) - set(table.nullable_key)
    for column in table.columns:
        yield f"{_name(column)} {_type(column)} {'NOT NULL' if column.name in required else 'NULL'}"


def _type(column: GoldColumn) -> str:
    if column.length is None:
        return _TYPES[column.kind]
    return f"NVARCHAR({2 * column.length}) {_COLLATION}"


def _name(column: GoldColumn) -> str:
    """In brackets: some are words of T-SQL."""
    return f"[{column.name}]"


def _names(table: GoldTableColumns, indent: str) -> str:
    return f",\n{indent}".join(_name(column) for column in table.columns)


def _load_dataset() -> str:
    parameters = "".join(
        f",\n    @{table.name}_path NVARCHAR(500),\n    @{table.name}_rows BIGINT" for table in GOLD_COLUMNS
    )
    paths = ",\n            ".join(f"@{table.name}_path" for table in GOLD_COLUMNS)
    drops = "\n".join(_drop(table, "    ") for table in GOLD_COLUMNS)
    drops_after_failure = "\n".join(_drop(table, "        ") for table in GOLD_COLUMNS)
    stages = "\n\n".join(_stage(table) for table in GOLD_COLUMNS)
    inserts = "\n\n".join(_insert(table) for table in GOLD_COLUMNS)
    return f"""\
IF OBJECT_ID('dw_gold.load_dataset') IS NOT NULL DROP PROCEDURE dw_gold.load_dataset;
GO

CREATE PROCEDURE dw_gold.load_dataset
    @owner_id VARCHAR(32),
    @dataset_id VARCHAR(128),
    @job_id VARCHAR(32),
    @as_of DATETIME2(6),
    @lake_account VARCHAR(24){parameters}
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @rows BIGINT;
    DECLARE @keys BIGINT;
    DECLARE @later INT;
    DECLARE @loaded_at DATETIME2(6);
    DECLARE @paths NVARCHAR(4000);
    DECLARE @lake NVARCHAR(200);
    DECLARE @options NVARCHAR(200);
    DECLARE @copy NVARCHAR(4000);
    DECLARE @message NVARCHAR(400);

    IF
        LEN(@owner_id) <> 32 OR @owner_id {_COLLATION} LIKE '%[^0-9a-f]%'
        OR LEN(@job_id) <> 32 OR @job_id {_COLLATION} LIKE '%[^0-9a-f]%'
        OR @lake_account {_COLLATION} LIKE '%[^0-9a-z]%'
        BEGIN
            THROW 50002, 'owner_id, job_id or lake_account is not an id', 1;
        END;
    SET
        @paths = CONCAT(
            {paths}
        );
    IF @paths {_COLLATION} LIKE '%[^0-9A-Za-z/._-]%'
        BEGIN
            THROW 50002, 'a path has a character that paths of Gold do not have', 1;
        END;

    SET @lake = CONCAT(N'https://', @lake_account, N'.dfs.core.windows.net/datalake/');
    SET @options = N''' WITH (FILE_TYPE = ''PARQUET'', CREDENTIAL = (IDENTITY = ''Managed Identity''))';

{drops}

    BEGIN TRY
{stages}

        BEGIN TRANSACTION;

        -- Whoever loads next waits here, and reads what this load has left.
        UPDATE dw_gold.load_lock SET loads = loads + 1;

        -- Of two jobs of one moment the one with the smaller id is the later: ids sort newest first.
        SET
            @later = (
                SELECT COUNT(*)
                FROM dw_gold.gold_loads
                WHERE
                    owner_id = @owner_id AND dataset_id = @dataset_id
                    AND (as_of > @as_of OR (as_of = @as_of AND job_id < @job_id))
            );

        IF @later = 0
            BEGIN
                -- Not among the VALUES, where a pool takes nothing but constants and variables.
                SET @loaded_at = SYSUTCDATETIME();

{inserts}

                DELETE FROM dw_gold.gold_loads
                {_OF_DATASET};
                INSERT INTO dw_gold.gold_loads (owner_id, dataset_id, job_id, as_of, loaded_at)
                VALUES (@owner_id, @dataset_id, @job_id, @as_of, @loaded_at);
            END;

        COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        -- First of all: a pool runs nothing else in a transaction that has failed.
        IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
{drops_after_failure}
        THROW;
    END CATCH;

{drops}

    SELECT CASE WHEN @later = 0 THEN 1 ELSE 0 END AS loaded;
END;
GO
"""


def _drop(table: GoldTableColumns, indent: str) -> str:
    return f"{indent}IF OBJECT_ID('tempdb..#{table.name}') IS NOT NULL DROP TABLE #{table.name};"


def _stage(table: GoldTableColumns) -> str:
    """Copy the table's files and count what came. An empty table's file has nothing to copy."""
    distribution = _STORAGE[table.name][0].replace("REPLICATE", "ROUND_ROBIN")
    keys = ", ".join(f"[{name}]" for name in table.key)
    return f"""\
        CREATE TABLE #{table.name} WITH (DISTRIBUTION = {distribution}, HEAP) AS
        SELECT
            {_names(table, "            ")}
        FROM dw_gold.{table.name}
        WHERE 1 = 0;
        SET
            @copy = CONCAT(
                N'COPY INTO #{table.name} FROM ''', @lake, @{table.name}_path, @options
            );
        IF @{table.name}_rows > 0 EXEC (@copy);
        SET @rows = (SELECT COUNT_BIG(*) FROM #{table.name});
        SET
            @keys = (
                SELECT COUNT_BIG(*)
                FROM (
                    SELECT 1 AS one
                    FROM #{table.name}
                    GROUP BY {keys}
                ) AS found
            );
        IF @rows <> @{table.name}_rows OR @keys <> @rows
            BEGIN
                SET
                    @message = CONCAT(
                        'gold_load_mismatch: {table.name} has ', @rows, ' rows with ', @keys,
                        ' different keys and should have ', @{table.name}_rows
                    );
                THROW 50001, @message, 1;
            END;"""


def _insert(table: GoldTableColumns) -> str:
    indent = " " * 20
    keys = "".join(f"{indent}{key_column(table, name)},\n" for name in table.nullable_key)
    values = "".join(f"{indent}COALESCE([{name}], N''),\n" for name in table.nullable_key)
    return f"""\
                DELETE FROM dw_gold.{table.name}
                {_OF_DATASET};
                INSERT INTO dw_gold.{table.name} (
                    owner_id,
                    dataset_id,
                    job_id,
{keys}                    {_names(table, indent)}
                )
                SELECT
                    @owner_id,
                    @dataset_id,
                    @job_id,
{values}                    {_names(table, indent)}
                FROM #{table.name};"""


def _remove_dataset() -> str:
    names = (*(table.name for table in GOLD_COLUMNS), "gold_loads")
    deletes = "\n".join(f"        DELETE FROM dw_gold.{name}\n        {_OF_DATASET};" for name in names)
    return f"""\
IF OBJECT_ID('dw_gold.remove_dataset') IS NOT NULL DROP PROCEDURE dw_gold.remove_dataset;
GO

CREATE PROCEDURE dw_gold.remove_dataset
    @owner_id VARCHAR(32),
    @dataset_id VARCHAR(128)
AS
BEGIN
    SET NOCOUNT ON;
    BEGIN TRY
        BEGIN TRANSACTION;
        UPDATE dw_gold.load_lock SET loads = loads + 1;
{deletes}
        COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
        THROW;
    END CATCH;
END;
GO
"""


if __name__ == "__main__":
    (FOLDER / "2_gold_tables.sql").write_text(gold_tables())
    (FOLDER / "3_procedures.sql").write_text(procedures())
