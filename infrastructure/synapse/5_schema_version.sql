-- Last of all, so that a service that finds its version finds all of the schema.

IF OBJECT_ID('dw_gold.schema_version') IS NULL
    CREATE TABLE dw_gold.schema_version (version INT NOT NULL)
    WITH (DISTRIBUTION = ROUND_ROBIN, HEAP);
GO

DELETE FROM dw_gold.schema_version;
INSERT INTO dw_gold.schema_version (version) VALUES (1);
GO
