-- The warehouse: a Synapse dedicated SQL pool. These files are run in the order of their names by
-- `python -m backend migrate`, each batch (up to GO) by itself and again without harm.
--
-- Before them, once, in the database `master` of the workspace:
--     ALTER DATABASE [<pool>] SET READ_COMMITTED_SNAPSHOT ON;
-- A pool reads uncommitted rows otherwise, so that whoever asks during a load would see half of it.

IF (
    SELECT COUNT(*)
    FROM sys.schemas
    WHERE name = 'dw_gold'
) = 0
    EXEC ('CREATE SCHEMA dw_gold');
GO

-- Whose rows of a dataset stand in the tables: those of its latest job. Small, and read as a whole:
-- neither an index nor a key to distribute by would be of use.
IF OBJECT_ID('dw_gold.gold_loads') IS NULL
    CREATE TABLE dw_gold.gold_loads (
        owner_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        dataset_id VARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        job_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        as_of DATETIME2(6) NOT NULL,
        loaded_at DATETIME2(6) NOT NULL
    )
    WITH (DISTRIBUTION = ROUND_ROBIN, HEAP);
GO

-- One row, which every load changes first and so holds until it ends. A row of gold_loads would not do:
-- a dataset's first load has none, and a pool enforces no key that would keep a second one out.
IF OBJECT_ID('dw_gold.load_lock') IS NULL
    CREATE TABLE dw_gold.load_lock (loads BIGINT NOT NULL)
    WITH (DISTRIBUTION = ROUND_ROBIN, HEAP);
GO

IF (SELECT COUNT(*) FROM dw_gold.load_lock) = 0
    INSERT INTO dw_gold.load_lock (loads) VALUES (0);
GO
