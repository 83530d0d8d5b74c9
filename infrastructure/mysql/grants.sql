-- What each user of the operational database may do, and no more. Run by the administrator, in the service's
-- database, after `python -m backend migrate`, when the users exist. Running it again changes nothing.

-- The API: accounts, and reading and deleting the caller's Gold. It writes none.
GRANT SELECT, INSERT ON users TO 'orchestrator_api'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON credential_attempts TO 'orchestrator_api'@'%';
GRANT SELECT ON alembic_version TO 'orchestrator_api'@'%';
GRANT SELECT, DELETE ON gold_loads TO 'orchestrator_api'@'%';
GRANT SELECT, DELETE ON dim_users TO 'orchestrator_api'@'%';
GRANT SELECT, DELETE ON dim_location TO 'orchestrator_api'@'%';
GRANT SELECT, DELETE ON dim_products TO 'orchestrator_api'@'%';
GRANT SELECT, DELETE ON dim_time TO 'orchestrator_api'@'%';
GRANT SELECT, DELETE ON fact_orders TO 'orchestrator_api'@'%';
GRANT SELECT, DELETE ON agg_user_metrics TO 'orchestrator_api'@'%';
GRANT SELECT, DELETE ON agg_product_metrics TO 'orchestrator_api'@'%';

-- The functions: loading Gold. Nothing of the accounts.
GRANT SELECT ON alembic_version TO 'orchestrator_functions'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON gold_loads TO 'orchestrator_functions'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON dim_users TO 'orchestrator_functions'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON dim_location TO 'orchestrator_functions'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON dim_products TO 'orchestrator_functions'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON dim_time TO 'orchestrator_functions'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON fact_orders TO 'orchestrator_functions'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON agg_user_metrics TO 'orchestrator_functions'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON agg_product_metrics TO 'orchestrator_functions'@'%';

-- Data Factory's reconciliation: whose rows stand in the tables, not the rows.
GRANT SELECT ON gold_loads TO 'orchestrator_reconciliation'@'%';
