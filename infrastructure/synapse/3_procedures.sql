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

IF OBJECT_ID('dw_gold.load_dataset') IS NOT NULL DROP PROCEDURE dw_gold.load_dataset;
GO

CREATE PROCEDURE dw_gold.load_dataset
    @owner_id VARCHAR(32),
    @dataset_id VARCHAR(128),
    @job_id VARCHAR(32),
    @as_of DATETIME2(6),
    @lake_account VARCHAR(24),
    @dim_users_path NVARCHAR(500),
    @dim_users_rows BIGINT,
    @dim_location_path NVARCHAR(500),
    @dim_location_rows BIGINT,
    @dim_products_path NVARCHAR(500),
    @dim_products_rows BIGINT,
    @dim_time_path NVARCHAR(500),
    @dim_time_rows BIGINT,
    @fact_orders_path NVARCHAR(500),
    @fact_orders_rows BIGINT,
    @agg_user_metrics_path NVARCHAR(500),
    @agg_user_metrics_rows BIGINT,
    @agg_product_metrics_path NVARCHAR(500),
    @agg_product_metrics_rows BIGINT
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
        LEN(@owner_id) <> 32 OR @owner_id COLLATE Latin1_General_100_BIN2 LIKE '%[^0-9a-f]%'
        OR LEN(@job_id) <> 32 OR @job_id COLLATE Latin1_General_100_BIN2 LIKE '%[^0-9a-f]%'
        OR @lake_account COLLATE Latin1_General_100_BIN2 LIKE '%[^0-9a-z]%'
        BEGIN
            THROW 50002, 'owner_id, job_id or lake_account is not an id', 1;
        END;
    SET
        @paths = CONCAT(
            @dim_users_path,
            @dim_location_path,
            @dim_products_path,
            @dim_time_path,
            @fact_orders_path,
            @agg_user_metrics_path,
            @agg_product_metrics_path
        );
    IF @paths COLLATE Latin1_General_100_BIN2 LIKE '%[^0-9A-Za-z/._-]%'
        BEGIN
            THROW 50002, 'a path has a character that paths of Gold do not have', 1;
        END;

    SET @lake = CONCAT(N'https://', @lake_account, N'.dfs.core.windows.net/datalake/');
    SET @options = N''' WITH (FILE_TYPE = ''PARQUET'', CREDENTIAL = (IDENTITY = ''Managed Identity''))';

    IF OBJECT_ID('tempdb..#dim_users') IS NOT NULL DROP TABLE #dim_users;
    IF OBJECT_ID('tempdb..#dim_location') IS NOT NULL DROP TABLE #dim_location;
    IF OBJECT_ID('tempdb..#dim_products') IS NOT NULL DROP TABLE #dim_products;
    IF OBJECT_ID('tempdb..#dim_time') IS NOT NULL DROP TABLE #dim_time;
    IF OBJECT_ID('tempdb..#fact_orders') IS NOT NULL DROP TABLE #fact_orders;
    IF OBJECT_ID('tempdb..#agg_user_metrics') IS NOT NULL DROP TABLE #agg_user_metrics;
    IF OBJECT_ID('tempdb..#agg_product_metrics') IS NOT NULL DROP TABLE #agg_product_metrics;

    BEGIN TRY
        CREATE TABLE #dim_users WITH (DISTRIBUTION = HASH (user_id), HEAP) AS
        SELECT
            [user_id],
            [username],
            [full_name],
            [email],
            [phone],
            [sex],
            [job],
            [company],
            [birth_date],
            [age],
            [country_code],
            [country],
            [city],
            [postal_code],
            [location_id],
            [user_created_at],
            [age_group]
        FROM dw_gold.dim_users
        WHERE 1 = 0;
        SET
            @copy = CONCAT(
                N'COPY INTO #dim_users FROM ''', @lake, @dim_users_path, @options
            );
        IF @dim_users_rows > 0 EXEC (@copy);
        SET @rows = (SELECT COUNT_BIG(*) FROM #dim_users);
        SET
            @keys = (
                SELECT COUNT_BIG(*)
                FROM (
                    SELECT 1 AS one
                    FROM #dim_users
                    GROUP BY [user_id]
                ) AS found
            );
        IF @rows <> @dim_users_rows OR @keys <> @rows
            BEGIN
                SET
                    @message = CONCAT(
                        'gold_load_mismatch: dim_users has ', @rows, ' rows with ', @keys,
                        ' different keys and should have ', @dim_users_rows
                    );
                THROW 50001, @message, 1;
            END;

        CREATE TABLE #dim_location WITH (DISTRIBUTION = ROUND_ROBIN, HEAP) AS
        SELECT
            [location_id],
            [country_code],
            [country],
            [city],
            [postal_code]
        FROM dw_gold.dim_location
        WHERE 1 = 0;
        SET
            @copy = CONCAT(
                N'COPY INTO #dim_location FROM ''', @lake, @dim_location_path, @options
            );
        IF @dim_location_rows > 0 EXEC (@copy);
        SET @rows = (SELECT COUNT_BIG(*) FROM #dim_location);
        SET
            @keys = (
                SELECT COUNT_BIG(*)
                FROM (
                    SELECT 1 AS one
                    FROM #dim_location
                    GROUP BY [location_id]
                ) AS found
            );
        IF @rows <> @dim_location_rows OR @keys <> @rows
            BEGIN
                SET
                    @message = CONCAT(
                        'gold_load_mismatch: dim_location has ', @rows, ' rows with ', @keys,
                        ' different keys and should have ', @dim_location_rows
                    );
                THROW 50001, @message, 1;
            END;

        CREATE TABLE #dim_products WITH (DISTRIBUTION = ROUND_ROBIN, HEAP) AS
        SELECT
            [product_id],
            [product_name],
            [category_name],
            [subcategory_name]
        FROM dw_gold.dim_products
        WHERE 1 = 0;
        SET
            @copy = CONCAT(
                N'COPY INTO #dim_products FROM ''', @lake, @dim_products_path, @options
            );
        IF @dim_products_rows > 0 EXEC (@copy);
        SET @rows = (SELECT COUNT_BIG(*) FROM #dim_products);
        SET
            @keys = (
                SELECT COUNT_BIG(*)
                FROM (
                    SELECT 1 AS one
                    FROM #dim_products
                    GROUP BY [product_id]
                ) AS found
            );
        IF @rows <> @dim_products_rows OR @keys <> @rows
            BEGIN
                SET
                    @message = CONCAT(
                        'gold_load_mismatch: dim_products has ', @rows, ' rows with ', @keys,
                        ' different keys and should have ', @dim_products_rows
                    );
                THROW 50001, @message, 1;
            END;

        CREATE TABLE #dim_time WITH (DISTRIBUTION = ROUND_ROBIN, HEAP) AS
        SELECT
            [date_id],
            [date],
            [year],
            [quarter],
            [month],
            [month_name],
            [day],
            [iso_weekday],
            [day_name],
            [iso_week],
            [is_weekend]
        FROM dw_gold.dim_time
        WHERE 1 = 0;
        SET
            @copy = CONCAT(
                N'COPY INTO #dim_time FROM ''', @lake, @dim_time_path, @options
            );
        IF @dim_time_rows > 0 EXEC (@copy);
        SET @rows = (SELECT COUNT_BIG(*) FROM #dim_time);
        SET
            @keys = (
                SELECT COUNT_BIG(*)
                FROM (
                    SELECT 1 AS one
                    FROM #dim_time
                    GROUP BY [date_id]
                ) AS found
            );
        IF @rows <> @dim_time_rows OR @keys <> @rows
            BEGIN
                SET
                    @message = CONCAT(
                        'gold_load_mismatch: dim_time has ', @rows, ' rows with ', @keys,
                        ' different keys and should have ', @dim_time_rows
                    );
                THROW 50001, @message, 1;
            END;

        CREATE TABLE #fact_orders WITH (DISTRIBUTION = HASH (user_id), HEAP) AS
        SELECT
            [order_item_id],
            [order_id],
            [user_id],
            [product_id],
            [sku_id],
            [location_id],
            [date_id],
            [quantity],
            [unit_price],
            [line_amount],
            [payment_id],
            [payment_amount],
            [payment_provider],
            [payment_status],
            [order_created_at],
            [order_updated_at],
            [quality_score]
        FROM dw_gold.fact_orders
        WHERE 1 = 0;
        SET
            @copy = CONCAT(
                N'COPY INTO #fact_orders FROM ''', @lake, @fact_orders_path, @options
            );
        IF @fact_orders_rows > 0 EXEC (@copy);
        SET @rows = (SELECT COUNT_BIG(*) FROM #fact_orders);
        SET
            @keys = (
                SELECT COUNT_BIG(*)
                FROM (
                    SELECT 1 AS one
                    FROM #fact_orders
                    GROUP BY [order_id], [order_item_id]
                ) AS found
            );
        IF @rows <> @fact_orders_rows OR @keys <> @rows
            BEGIN
                SET
                    @message = CONCAT(
                        'gold_load_mismatch: fact_orders has ', @rows, ' rows with ', @keys,
                        ' different keys and should have ', @fact_orders_rows
                    );
                THROW 50001, @message, 1;
            END;

        CREATE TABLE #agg_user_metrics WITH (DISTRIBUTION = HASH (user_id), HEAP) AS
        SELECT
            [user_id],
            [order_count],
            [units],
            [total_spent],
            [refunded_amount],
            [average_order_value],
            [first_order_at],
            [last_order_at],
            [average_quality_score]
        FROM dw_gold.agg_user_metrics
        WHERE 1 = 0;
        SET
            @copy = CONCAT(
                N'COPY INTO #agg_user_metrics FROM ''', @lake, @agg_user_metrics_path, @options
            );
        IF @agg_user_metrics_rows > 0 EXEC (@copy);
        SET @rows = (SELECT COUNT_BIG(*) FROM #agg_user_metrics);
        SET
            @keys = (
                SELECT COUNT_BIG(*)
                FROM (
                    SELECT 1 AS one
                    FROM #agg_user_metrics
                    GROUP BY [user_id]
                ) AS found
            );
        IF @rows <> @agg_user_metrics_rows OR @keys <> @rows
            BEGIN
                SET
                    @message = CONCAT(
                        'gold_load_mismatch: agg_user_metrics has ', @rows, ' rows with ', @keys,
                        ' different keys and should have ', @agg_user_metrics_rows
                    );
                THROW 50001, @message, 1;
            END;

        CREATE TABLE #agg_product_metrics WITH (DISTRIBUTION = HASH (product_id), HEAP) AS
        SELECT
            [product_id],
            [product_name],
            [category_name],
            [order_count],
            [units_sold],
            [revenue],
            [customer_count],
            [average_unit_price]
        FROM dw_gold.agg_product_metrics
        WHERE 1 = 0;
        SET
            @copy = CONCAT(
                N'COPY INTO #agg_product_metrics FROM ''', @lake, @agg_product_metrics_path, @options
            );
        IF @agg_product_metrics_rows > 0 EXEC (@copy);
        SET @rows = (SELECT COUNT_BIG(*) FROM #agg_product_metrics);
        SET
            @keys = (
                SELECT COUNT_BIG(*)
                FROM (
                    SELECT 1 AS one
                    FROM #agg_product_metrics
                    GROUP BY [product_id]
                ) AS found
            );
        IF @rows <> @agg_product_metrics_rows OR @keys <> @rows
            BEGIN
                SET
                    @message = CONCAT(
                        'gold_load_mismatch: agg_product_metrics has ', @rows, ' rows with ', @keys,
                        ' different keys and should have ', @agg_product_metrics_rows
                    );
                THROW 50001, @message, 1;
            END;

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

                DELETE FROM dw_gold.dim_users
                WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
                INSERT INTO dw_gold.dim_users (
                    owner_id,
                    dataset_id,
                    job_id,
                    [user_id],
                    [username],
                    [full_name],
                    [email],
                    [phone],
                    [sex],
                    [job],
                    [company],
                    [birth_date],
                    [age],
                    [country_code],
                    [country],
                    [city],
                    [postal_code],
                    [location_id],
                    [user_created_at],
                    [age_group]
                )
                SELECT
                    @owner_id,
                    @dataset_id,
                    @job_id,
                    [user_id],
                    [username],
                    [full_name],
                    [email],
                    [phone],
                    [sex],
                    [job],
                    [company],
                    [birth_date],
                    [age],
                    [country_code],
                    [country],
                    [city],
                    [postal_code],
                    [location_id],
                    [user_created_at],
                    [age_group]
                FROM #dim_users;

                DELETE FROM dw_gold.dim_location
                WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
                INSERT INTO dw_gold.dim_location (
                    owner_id,
                    dataset_id,
                    job_id,
                    [location_id],
                    [country_code],
                    [country],
                    [city],
                    [postal_code]
                )
                SELECT
                    @owner_id,
                    @dataset_id,
                    @job_id,
                    [location_id],
                    [country_code],
                    [country],
                    [city],
                    [postal_code]
                FROM #dim_location;

                DELETE FROM dw_gold.dim_products
                WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
                INSERT INTO dw_gold.dim_products (
                    owner_id,
                    dataset_id,
                    job_id,
                    [product_id],
                    [product_name],
                    [category_name],
                    [subcategory_name]
                )
                SELECT
                    @owner_id,
                    @dataset_id,
                    @job_id,
                    [product_id],
                    [product_name],
                    [category_name],
                    [subcategory_name]
                FROM #dim_products;

                DELETE FROM dw_gold.dim_time
                WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
                INSERT INTO dw_gold.dim_time (
                    owner_id,
                    dataset_id,
                    job_id,
                    [date_id],
                    [date],
                    [year],
                    [quarter],
                    [month],
                    [month_name],
                    [day],
                    [iso_weekday],
                    [day_name],
                    [iso_week],
                    [is_weekend]
                )
                SELECT
                    @owner_id,
                    @dataset_id,
                    @job_id,
                    [date_id],
                    [date],
                    [year],
                    [quarter],
                    [month],
                    [month_name],
                    [day],
                    [iso_weekday],
                    [day_name],
                    [iso_week],
                    [is_weekend]
                FROM #dim_time;

                DELETE FROM dw_gold.fact_orders
                WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
                INSERT INTO dw_gold.fact_orders (
                    owner_id,
                    dataset_id,
                    job_id,
                    order_item_key,
                    [order_item_id],
                    [order_id],
                    [user_id],
                    [product_id],
                    [sku_id],
                    [location_id],
                    [date_id],
                    [quantity],
                    [unit_price],
                    [line_amount],
                    [payment_id],
                    [payment_amount],
                    [payment_provider],
                    [payment_status],
                    [order_created_at],
                    [order_updated_at],
                    [quality_score]
                )
                SELECT
                    @owner_id,
                    @dataset_id,
                    @job_id,
                    COALESCE([order_item_id], N''),
                    [order_item_id],
                    [order_id],
                    [user_id],
                    [product_id],
                    [sku_id],
                    [location_id],
                    [date_id],
                    [quantity],
                    [unit_price],
                    [line_amount],
                    [payment_id],
                    [payment_amount],
                    [payment_provider],
                    [payment_status],
                    [order_created_at],
                    [order_updated_at],
                    [quality_score]
                FROM #fact_orders;

                DELETE FROM dw_gold.agg_user_metrics
                WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
                INSERT INTO dw_gold.agg_user_metrics (
                    owner_id,
                    dataset_id,
                    job_id,
                    [user_id],
                    [order_count],
                    [units],
                    [total_spent],
                    [refunded_amount],
                    [average_order_value],
                    [first_order_at],
                    [last_order_at],
                    [average_quality_score]
                )
                SELECT
                    @owner_id,
                    @dataset_id,
                    @job_id,
                    [user_id],
                    [order_count],
                    [units],
                    [total_spent],
                    [refunded_amount],
                    [average_order_value],
                    [first_order_at],
                    [last_order_at],
                    [average_quality_score]
                FROM #agg_user_metrics;

                DELETE FROM dw_gold.agg_product_metrics
                WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
                INSERT INTO dw_gold.agg_product_metrics (
                    owner_id,
                    dataset_id,
                    job_id,
                    [product_id],
                    [product_name],
                    [category_name],
                    [order_count],
                    [units_sold],
                    [revenue],
                    [customer_count],
                    [average_unit_price]
                )
                SELECT
                    @owner_id,
                    @dataset_id,
                    @job_id,
                    [product_id],
                    [product_name],
                    [category_name],
                    [order_count],
                    [units_sold],
                    [revenue],
                    [customer_count],
                    [average_unit_price]
                FROM #agg_product_metrics;

                DELETE FROM dw_gold.gold_loads
                WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
                INSERT INTO dw_gold.gold_loads (owner_id, dataset_id, job_id, as_of, loaded_at)
                VALUES (@owner_id, @dataset_id, @job_id, @as_of, @loaded_at);
            END;

        COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        -- First of all: a pool runs nothing else in a transaction that has failed.
        IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
        IF OBJECT_ID('tempdb..#dim_users') IS NOT NULL DROP TABLE #dim_users;
        IF OBJECT_ID('tempdb..#dim_location') IS NOT NULL DROP TABLE #dim_location;
        IF OBJECT_ID('tempdb..#dim_products') IS NOT NULL DROP TABLE #dim_products;
        IF OBJECT_ID('tempdb..#dim_time') IS NOT NULL DROP TABLE #dim_time;
        IF OBJECT_ID('tempdb..#fact_orders') IS NOT NULL DROP TABLE #fact_orders;
        IF OBJECT_ID('tempdb..#agg_user_metrics') IS NOT NULL DROP TABLE #agg_user_metrics;
        IF OBJECT_ID('tempdb..#agg_product_metrics') IS NOT NULL DROP TABLE #agg_product_metrics;
        THROW;
    END CATCH;

    IF OBJECT_ID('tempdb..#dim_users') IS NOT NULL DROP TABLE #dim_users;
    IF OBJECT_ID('tempdb..#dim_location') IS NOT NULL DROP TABLE #dim_location;
    IF OBJECT_ID('tempdb..#dim_products') IS NOT NULL DROP TABLE #dim_products;
    IF OBJECT_ID('tempdb..#dim_time') IS NOT NULL DROP TABLE #dim_time;
    IF OBJECT_ID('tempdb..#fact_orders') IS NOT NULL DROP TABLE #fact_orders;
    IF OBJECT_ID('tempdb..#agg_user_metrics') IS NOT NULL DROP TABLE #agg_user_metrics;
    IF OBJECT_ID('tempdb..#agg_product_metrics') IS NOT NULL DROP TABLE #agg_product_metrics;

    SELECT CASE WHEN @later = 0 THEN 1 ELSE 0 END AS loaded;
END;
GO

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
        DELETE FROM dw_gold.dim_users
        WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
        DELETE FROM dw_gold.dim_location
        WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
        DELETE FROM dw_gold.dim_products
        WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
        DELETE FROM dw_gold.dim_time
        WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
        DELETE FROM dw_gold.fact_orders
        WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
        DELETE FROM dw_gold.agg_user_metrics
        WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
        DELETE FROM dw_gold.agg_product_metrics
        WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
        DELETE FROM dw_gold.gold_loads
        WHERE owner_id = @owner_id AND dataset_id = @dataset_id;
        COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
        THROW;
    END CATCH;
END;
GO
