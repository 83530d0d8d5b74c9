-- Roles. Who has them is each deployment's own: as an Entra administrator, once,
--     CREATE USER [<name of the Functions app>] FROM EXTERNAL PROVIDER;
--     EXEC sp_addrolemember 'gold_loader', '<name of the Functions app>';
-- and the same with gold_remover for the API, gold_reconciler for Data Factory, and gold_reader for whoever
-- asks the warehouse.
-- COPY INTO reads the lake as the workspace's own identity (Storage Blob Data Reader), not as the loader.

IF (
    SELECT COUNT(*)
    FROM sys.database_principals
    WHERE name = 'gold_loader'
) = 0
    CREATE ROLE gold_loader;
GO
IF (
    SELECT COUNT(*)
    FROM sys.database_principals
    WHERE name = 'gold_remover'
) = 0
    CREATE ROLE gold_remover;
GO
IF (
    SELECT COUNT(*)
    FROM sys.database_principals
    WHERE name = 'gold_reader'
) = 0
    CREATE ROLE gold_reader;
GO
IF (
    SELECT COUNT(*)
    FROM sys.database_principals
    WHERE name = 'gold_reconciler'
) = 0
    CREATE ROLE gold_reconciler;
GO

-- The loader changes rows, and can neither make nor drop a table of the schema: it stages in temporary ones.
-- Rights on the rows are given beside EXECUTE, since Microsoft does not document that a procedure of a pool
-- lends its owner's.
GRANT EXECUTE ON OBJECT::dw_gold.load_dataset TO gold_loader;
GRANT EXECUTE ON OBJECT::dw_gold.remove_dataset TO gold_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA::dw_gold TO gold_loader;
GRANT ADMINISTER DATABASE BULK OPERATIONS TO gold_loader;
GO

-- Whoever deletes a dataset removes its rows, and writes none.
GRANT EXECUTE ON OBJECT::dw_gold.remove_dataset TO gold_remover;
GRANT SELECT, DELETE ON SCHEMA::dw_gold TO gold_remover;
GO

GRANT SELECT ON SCHEMA::dw_gold TO gold_reader;
GO

GRANT SELECT ON OBJECT::dw_gold.gold_loads TO gold_reconciler;
GO
