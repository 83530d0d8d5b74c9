# shellcheck shell=bash
# The operational database: the server, its schema, and a user for each of those who use it.

MYSQL_API=2023-12-30
MYSQL_ADMINISTRATOR=orchestrator_admin
RECONCILIATION_USER=orchestrator_reconciliation
# Each user of the database, by the secret that is for whoever uses it.
declare -A SECRET_USERS=(
    [database-url-api]=orchestrator_api
    [database-url-functions]=orchestrator_functions
    [mysql-reconciliation-password]=$RECONCILIATION_USER
)
# Where Debian, Ubuntu, Cloud Shell and Azure's own Python image keep the authorities that they trust. With it
# PyMySQL asks for TLS and verifies the server's name.
AUTHORITIES=/etc/ssl/certs/ca-certificates.crt

make_mysql() {
    MYSQL_ID=$GROUP_ID/providers/Microsoft.DBforMySQL/flexibleServers/$MYSQL_SERVER
    MYSQL_HOST=$MYSQL_SERVER.mysql.database.azure.com
    ensure "MySQL server $MYSQL_SERVER ($MYSQL_SKU)" "$MYSQL_ID" "$MYSQL_API" create_mysql
    ensure_mysql_parameter require_secure_transport ON
    ensure_mysql_parameter tls_version TLSv1.2
    # The Functions app and Data Factory call from addresses of Azure that are not theirs alone.
    ensure "MySQL: calls from Azure" "$MYSQL_ID/firewallRules/azure" "$MYSQL_API" open_mysql azure 0.0.0.0
    ensure_object "MySQL database $DATABASE" "$MYSQL_ID/databases/$DATABASE" "$MYSQL_API" \
        '{"properties": {"charset": "utf8mb4", "collation": "utf8mb4_bin"}}'
    make_database
}

create_mysql() {
    local tier=GeneralPurpose
    case $MYSQL_SKU in
        Standard_B*) tier=Burstable ;;
        Standard_E*) tier=MemoryOptimized ;;
    esac
    # Nobody keeps this password: whoever needs the administrator sets another one, as set_administrator does.
    printf '{"location": "%s", "sku": {"name": "%s", "tier": "%s"}, "properties": {"version": "8.0.21",
        "administratorLogin": "%s", "administratorLoginPassword": "%s",
        "storage": {"storageSizeGB": 64, "autoGrow": "Enabled"}, "backup": {"backupRetentionDays": 14},
        "network": {"publicNetworkAccess": "Enabled"}}}' \
        "$LOCATION" "$MYSQL_SKU" "$tier" "$MYSQL_ADMINISTRATOR" "$(random_password)" >"$SCRATCH/mysql.json"
    create_object "$MYSQL_ID" "$MYSQL_API" "@$SCRATCH/mysql.json"
    rm "$SCRATCH/mysql.json"
}

# ensure_mysql_parameter NAME VALUE
ensure_mysql_parameter() {
    local value
    value=$(property "$MYSQL_ID/configurations/$1" "$MYSQL_API" properties.value)
    if [[ $value == "$2" ]]; then
        say "stands      MySQL: $1 is $2"
    else
        change "MySQL: $1 is $2" write_az mysql flexible-server parameter set --server-name "$MYSQL_SERVER" \
            --resource-group "$RESOURCE_GROUP" --name "$1" --value "$2"
    fi
}

# open_mysql RULE ADDRESS
open_mysql() {
    create_object "$MYSQL_ID/firewallRules/$1" "$MYSQL_API" \
        "{\"properties\": {\"startIpAddress\": \"$2\", \"endIpAddress\": \"$2\"}}"
}

# A user's secret is written last: while it is missing, the user is made, or given another password.
make_database() {
    local secret missing=()
    for secret in "${!SECRET_USERS[@]}"; do
        secret_stands "$secret" || missing+=("$secret")
    done
    if [[ -z $MIGRATE && ${#missing[@]} -eq 0 ]]; then
        say "stands      MySQL: schema, users and their secrets"
    else
        change "MySQL: schema, users and their secrets" migrate_and_make_users "${missing[@]}"
    fi
}

# migrate_and_make_users SECRET...: those of the secrets that are missing.
migrate_and_make_users() {
    local secret
    [[ -z $CLIENT_ADDRESS ]] || open_mysql set-up "$CLIENT_ADDRESS"
    set_administrator
    migrate_schema
    for secret in "$@"; do
        make_user "${SECRET_USERS[$secret]}" "$secret"
    done
    run_sql <"$root/infrastructure/mysql/grants.sql"
    for secret in "$@"; do
        write_secret "$secret"
    done
    rm "$SCRATCH/administrator"
    [[ -z $CLIENT_ADDRESS ]] || write_az resource delete --ids "$MYSQL_ID/firewallRules/set-up" --api-version "$MYSQL_API"
}

migrate_schema() (
    cd "$root"
    DATABASE_URL=$(database_url "$MYSQL_ADMINISTRATOR" administrator)
    # The service's settings name its storage, which is not asked for anything here.
    export DATABASE_URL AZURE_STORAGE_ACCOUNT=$QUEUE_ACCOUNT
    .venv/bin/python -m backend migrate
)

set_administrator() {
    random_password >"$SCRATCH/administrator"
    printf '{"properties": {"administratorLoginPassword": "%s"}}' "$(<"$SCRATCH/administrator")" >"$SCRATCH/mysql.json"
    write_az resource patch --ids "$MYSQL_ID" --api-version "$MYSQL_API" --is-full-object \
        --properties "@$SCRATCH/mysql.json"
    rm "$SCRATCH/mysql.json"
}

# make_user NAME SECRET: leaves in the scratch file SECRET what its user is to know: a URL, or a password.
make_user() {
    local password
    random_password >"$SCRATCH/$2"
    password=$(<"$SCRATCH/$2")
    printf "CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s' REQUIRE SSL;\nALTER USER '%s'@'%%' IDENTIFIED BY '%s' REQUIRE SSL;\n" \
        "$1" "$password" "$1" "$password" | run_sql
    if [[ $2 == database-url-* ]]; then
        database_url "$1" "$2" >"$SCRATCH/url"
        mv "$SCRATCH/url" "$SCRATCH/$2"
    fi
}

# database_url USER FILE: with the password in the scratch file FILE.
database_url() {
    printf 'mysql+pymysql://%s:%s@%s:3306/%s?ssl_ca=%s' "$1" "$(<"$SCRATCH/$2")" "$MYSQL_HOST" "$DATABASE" "$AUTHORITIES"
}

# run_sql: the statements on stdin, as the administrator, with MySQL's own client.
run_sql() {
    printf '[client]\nhost=%s\nuser=%s\npassword=%s\ndatabase=%s\nssl-mode=VERIFY_IDENTITY\nssl-ca=%s\n' \
        "$MYSQL_HOST" "$MYSQL_ADMINISTRATOR" "$(<"$SCRATCH/administrator")" "$DATABASE" "$AUTHORITIES" >"$SCRATCH/client.cnf"
    mysql --defaults-file="$SCRATCH/client.cnf" --batch
    rm "$SCRATCH/client.cnf"
}
