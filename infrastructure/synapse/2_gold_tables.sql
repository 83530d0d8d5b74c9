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

IF OBJECT_ID('dw_gold.dim_users') IS NULL
    CREATE TABLE dw_gold.dim_users (
        owner_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        dataset_id VARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        job_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [user_id] NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [username] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [full_name] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [email] NVARCHAR(508) COLLATE Latin1_General_100_BIN2 NULL,
        [phone] NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
        [sex] NVARCHAR(12) COLLATE Latin1_General_100_BIN2 NULL,
        [job] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [company] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [birth_date] DATE NULL,
        [age] INT NULL,
        [country_code] NVARCHAR(4) COLLATE Latin1_General_100_BIN2 NULL,
        [country] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [city] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [postal_code] NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NULL,
        [location_id] NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL,
        [user_created_at] DATETIME2(6) NULL,
        [age_group] NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL
    )
    WITH (DISTRIBUTION = HASH (user_id), CLUSTERED COLUMNSTORE INDEX);
GO

IF (
    SELECT COUNT(*)
    FROM sys.key_constraints
    WHERE name = 'pk_dim_users'
) = 0
    EXEC (
        'ALTER TABLE dw_gold.dim_users ADD CONSTRAINT pk_dim_users
        PRIMARY KEY NONCLUSTERED (owner_id, dataset_id, user_id) NOT ENFORCED'
    );
GO

IF OBJECT_ID('dw_gold.dim_location') IS NULL
    CREATE TABLE dw_gold.dim_location (
        owner_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        dataset_id VARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        job_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [location_id] NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [country_code] NVARCHAR(4) COLLATE Latin1_General_100_BIN2 NULL,
        [country] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [city] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [postal_code] NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NULL
    )
    WITH (DISTRIBUTION = REPLICATE, CLUSTERED INDEX (owner_id, dataset_id));
GO

IF (
    SELECT COUNT(*)
    FROM sys.key_constraints
    WHERE name = 'pk_dim_location'
) = 0
    EXEC (
        'ALTER TABLE dw_gold.dim_location ADD CONSTRAINT pk_dim_location
        PRIMARY KEY NONCLUSTERED (owner_id, dataset_id, location_id) NOT ENFORCED'
    );
GO

IF OBJECT_ID('dw_gold.dim_products') IS NULL
    CREATE TABLE dw_gold.dim_products (
        owner_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        dataset_id VARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        job_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [product_id] NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [product_name] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [category_name] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [subcategory_name] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL
    )
    WITH (DISTRIBUTION = REPLICATE, CLUSTERED INDEX (owner_id, dataset_id));
GO

IF (
    SELECT COUNT(*)
    FROM sys.key_constraints
    WHERE name = 'pk_dim_products'
) = 0
    EXEC (
        'ALTER TABLE dw_gold.dim_products ADD CONSTRAINT pk_dim_products
        PRIMARY KEY NONCLUSTERED (owner_id, dataset_id, product_id) NOT ENFORCED'
    );
GO

IF OBJECT_ID('dw_gold.dim_time') IS NULL
    CREATE TABLE dw_gold.dim_time (
        owner_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        dataset_id VARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        job_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [date_id] INT NOT NULL,
        [date] DATE NULL,
        [year] INT NULL,
        [quarter] INT NULL,
        [month] INT NULL,
        [month_name] NVARCHAR(18) COLLATE Latin1_General_100_BIN2 NULL,
        [day] INT NULL,
        [iso_weekday] INT NULL,
        [day_name] NVARCHAR(18) COLLATE Latin1_General_100_BIN2 NULL,
        [iso_week] INT NULL,
        [is_weekend] BIT NULL
    )
    WITH (DISTRIBUTION = REPLICATE, CLUSTERED INDEX (owner_id, dataset_id));
GO

IF (
    SELECT COUNT(*)
    FROM sys.key_constraints
    WHERE name = 'pk_dim_time'
) = 0
    EXEC (
        'ALTER TABLE dw_gold.dim_time ADD CONSTRAINT pk_dim_time
        PRIMARY KEY NONCLUSTERED (owner_id, dataset_id, date_id) NOT ENFORCED'
    );
GO

IF OBJECT_ID('dw_gold.fact_orders') IS NULL
    CREATE TABLE dw_gold.fact_orders (
        owner_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        dataset_id VARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        job_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        order_item_key NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [order_item_id] NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NULL,
        [order_id] NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [user_id] NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NULL,
        [product_id] NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NULL,
        [sku_id] NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NULL,
        [location_id] NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL,
        [date_id] INT NULL,
        [quantity] INT NULL,
        [unit_price] DECIMAL(12, 2) NULL,
        [line_amount] DECIMAL(18, 2) NULL,
        [payment_id] NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NULL,
        [payment_amount] DECIMAL(12, 2) NULL,
        [payment_provider] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [payment_status] NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
        [order_created_at] DATETIME2(6) NULL,
        [order_updated_at] DATETIME2(6) NULL,
        [quality_score] INT NULL
    )
    WITH (DISTRIBUTION = HASH (user_id), CLUSTERED COLUMNSTORE INDEX);
GO

IF (
    SELECT COUNT(*)
    FROM sys.key_constraints
    WHERE name = 'pk_fact_orders'
) = 0
    EXEC (
        'ALTER TABLE dw_gold.fact_orders ADD CONSTRAINT pk_fact_orders
        PRIMARY KEY NONCLUSTERED (owner_id, dataset_id, order_id, order_item_key) NOT ENFORCED'
    );
GO

IF OBJECT_ID('dw_gold.agg_user_metrics') IS NULL
    CREATE TABLE dw_gold.agg_user_metrics (
        owner_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        dataset_id VARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        job_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [user_id] NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [order_count] BIGINT NULL,
        [units] BIGINT NULL,
        [total_spent] DECIMAL(18, 2) NULL,
        [refunded_amount] DECIMAL(18, 2) NULL,
        [average_order_value] DECIMAL(18, 2) NULL,
        [first_order_at] DATETIME2(6) NULL,
        [last_order_at] DATETIME2(6) NULL,
        [average_quality_score] FLOAT(53) NULL
    )
    WITH (DISTRIBUTION = HASH (user_id), CLUSTERED COLUMNSTORE INDEX);
GO

IF (
    SELECT COUNT(*)
    FROM sys.key_constraints
    WHERE name = 'pk_agg_user_metrics'
) = 0
    EXEC (
        'ALTER TABLE dw_gold.agg_user_metrics ADD CONSTRAINT pk_agg_user_metrics
        PRIMARY KEY NONCLUSTERED (owner_id, dataset_id, user_id) NOT ENFORCED'
    );
GO

IF OBJECT_ID('dw_gold.agg_product_metrics') IS NULL
    CREATE TABLE dw_gold.agg_product_metrics (
        owner_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        dataset_id VARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        job_id VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [product_id] NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [product_name] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [category_name] NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [order_count] BIGINT NULL,
        [units_sold] BIGINT NULL,
        [revenue] DECIMAL(18, 2) NULL,
        [customer_count] BIGINT NULL,
        [average_unit_price] DECIMAL(18, 2) NULL
    )
    WITH (DISTRIBUTION = HASH (product_id), CLUSTERED INDEX (owner_id, dataset_id));
GO

IF (
    SELECT COUNT(*)
    FROM sys.key_constraints
    WHERE name = 'pk_agg_product_metrics'
) = 0
    EXEC (
        'ALTER TABLE dw_gold.agg_product_metrics ADD CONSTRAINT pk_agg_product_metrics
        PRIMARY KEY NONCLUSTERED (owner_id, dataset_id, product_id) NOT ENFORCED'
    );
GO
