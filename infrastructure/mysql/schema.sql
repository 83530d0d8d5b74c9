CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE IF NOT EXISTS users (
    user_id VARCHAR(32) NOT NULL, 
    username VARCHAR(64) NOT NULL, 
    username_lowered VARCHAR(64) NOT NULL, 
    password_hash VARCHAR(255) NOT NULL, 
    PRIMARY KEY (user_id), 
    UNIQUE (username_lowered)
)ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO alembic_version (version_num) VALUES ('0001');

-- Running upgrade 0001 -> 0002

CREATE TABLE IF NOT EXISTS gold_loads (
    owner_id VARCHAR(32) NOT NULL, 
    dataset_id VARCHAR(128) NOT NULL, 
    job_id VARCHAR(32) NOT NULL, 
    as_of DATETIME(6) NOT NULL, 
    loaded_at DATETIME(6) NOT NULL, 
    PRIMARY KEY (owner_id, dataset_id)
)ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS dim_users (
    owner_id VARCHAR(32) NOT NULL, 
    dataset_id VARCHAR(128) NOT NULL, 
    user_id VARCHAR(255) NOT NULL, 
    job_id VARCHAR(32) NOT NULL, 
    username VARCHAR(1000), 
    full_name VARCHAR(1000), 
    email VARCHAR(254), 
    phone VARCHAR(32), 
    sex VARCHAR(6), 
    job VARCHAR(1000), 
    company VARCHAR(1000), 
    birth_date DATE, 
    age INTEGER, 
    country_code VARCHAR(2), 
    country VARCHAR(1000), 
    city VARCHAR(1000), 
    postal_code VARCHAR(10), 
    location_id VARCHAR(16), 
    user_created_at DATETIME(6), 
    age_group VARCHAR(7), 
    PRIMARY KEY (owner_id, dataset_id, user_id)
)ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS dim_location (
    owner_id VARCHAR(32) NOT NULL, 
    dataset_id VARCHAR(128) NOT NULL, 
    location_id VARCHAR(16) NOT NULL, 
    job_id VARCHAR(32) NOT NULL, 
    country_code VARCHAR(2), 
    country VARCHAR(1000), 
    city VARCHAR(1000), 
    postal_code VARCHAR(10), 
    PRIMARY KEY (owner_id, dataset_id, location_id)
)ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS dim_products (
    owner_id VARCHAR(32) NOT NULL, 
    dataset_id VARCHAR(128) NOT NULL, 
    product_id VARCHAR(255) NOT NULL, 
    job_id VARCHAR(32) NOT NULL, 
    product_name VARCHAR(1000), 
    category_name VARCHAR(1000), 
    subcategory_name VARCHAR(1000), 
    PRIMARY KEY (owner_id, dataset_id, product_id)
)ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS dim_time (
    owner_id VARCHAR(32) NOT NULL, 
    dataset_id VARCHAR(128) NOT NULL, 
    date_id INTEGER NOT NULL, 
    job_id VARCHAR(32) NOT NULL, 
    date DATE, 
    year INTEGER, 
    quarter INTEGER, 
    month INTEGER, 
    month_name VARCHAR(9), 
    day INTEGER, 
    iso_weekday INTEGER, 
    day_name VARCHAR(9), 
    iso_week INTEGER, 
    is_weekend BOOL, 
    PRIMARY KEY (owner_id, dataset_id, date_id)
)ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS fact_orders (
    owner_id VARCHAR(32) NOT NULL, 
    dataset_id VARCHAR(128) NOT NULL, 
    order_id VARCHAR(255) NOT NULL, 
    order_item_key VARCHAR(255) NOT NULL, 
    job_id VARCHAR(32) NOT NULL, 
    order_item_id VARCHAR(255), 
    user_id VARCHAR(255), 
    product_id VARCHAR(255), 
    sku_id VARCHAR(255), 
    location_id VARCHAR(16), 
    date_id INTEGER, 
    quantity INTEGER, 
    unit_price NUMERIC(12, 2), 
    line_amount NUMERIC(18, 2), 
    payment_id VARCHAR(255), 
    payment_amount NUMERIC(12, 2), 
    payment_provider VARCHAR(1000), 
    payment_status VARCHAR(8), 
    order_created_at DATETIME(6), 
    order_updated_at DATETIME(6), 
    quality_score INTEGER, 
    PRIMARY KEY (owner_id, dataset_id, order_id, order_item_key)
)ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS agg_user_metrics (
    owner_id VARCHAR(32) NOT NULL, 
    dataset_id VARCHAR(128) NOT NULL, 
    user_id VARCHAR(255) NOT NULL, 
    job_id VARCHAR(32) NOT NULL, 
    order_count BIGINT, 
    units BIGINT, 
    total_spent NUMERIC(18, 2), 
    refunded_amount NUMERIC(18, 2), 
    average_order_value NUMERIC(18, 2), 
    first_order_at DATETIME(6), 
    last_order_at DATETIME(6), 
    average_quality_score DOUBLE, 
    PRIMARY KEY (owner_id, dataset_id, user_id)
)ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS agg_product_metrics (
    owner_id VARCHAR(32) NOT NULL, 
    dataset_id VARCHAR(128) NOT NULL, 
    product_id VARCHAR(255) NOT NULL, 
    job_id VARCHAR(32) NOT NULL, 
    product_name VARCHAR(1000), 
    category_name VARCHAR(1000), 
    order_count BIGINT, 
    units_sold BIGINT, 
    revenue NUMERIC(18, 2), 
    customer_count BIGINT, 
    average_unit_price NUMERIC(18, 2), 
    PRIMARY KEY (owner_id, dataset_id, product_id)
)ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

-- Running upgrade 0002 -> 0003

CREATE TABLE IF NOT EXISTS credential_attempts (
    key_digest VARCHAR(64) NOT NULL, 
    attempts INTEGER NOT NULL, 
    ends_at BIGINT NOT NULL, 
    PRIMARY KEY (key_digest)
)ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

