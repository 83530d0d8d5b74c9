# shellcheck shell=bash
# Two accounts: queues and tables, with what the Functions host keeps for itself; and the lake, which the host
# has no business in.

STORAGE_API=2023-05-01

make_storage() {
    QUEUE_ACCOUNT_ID=$GROUP_ID/providers/Microsoft.Storage/storageAccounts/$QUEUE_ACCOUNT
    LAKE_ACCOUNT_ID=$GROUP_ID/providers/Microsoft.Storage/storageAccounts/$LAKE_ACCOUNT
    ensure "storage account $QUEUE_ACCOUNT" "$QUEUE_ACCOUNT_ID" "$STORAGE_API" create_account "$QUEUE_ACCOUNT" false
    ensure "ADLS Gen2 account $LAKE_ACCOUNT" "$LAKE_ACCOUNT_ID" "$STORAGE_API" create_account "$LAKE_ACCOUNT" true
    make_part "$QUEUE_ACCOUNT_ID" blobServices/default/containers "$PACKAGE_CONTAINER"
    make_part "$LAKE_ACCOUNT_ID" blobServices/default/containers "$BRONZE_CONTAINER" "$LAKE_CONTAINER"
    make_part "$QUEUE_ACCOUNT_ID" queueServices/default/queues "${QUEUES[@]}" "${QUEUES[@]/%/-poison}"
    make_part "$QUEUE_ACCOUNT_ID" tableServices/default/tables "${TABLES[@]}"
}

# Shared keys are off: nothing here uses one, and whoever has one has all of the account.
create_account() {
    write_az storage account create --name "$1" --resource-group "$RESOURCE_GROUP" --location "$LOCATION" \
        --kind StorageV2 --sku "$STORAGE_SKU" --enable-hierarchical-namespace "$2" --min-tls-version TLS1_2 \
        --https-only true --allow-blob-public-access false --allow-shared-key-access false
}

# make_part ACCOUNT_ID KIND NAME...: by Resource Manager, so that whoever sets up needs no role on the data.
make_part() {
    local name
    for name in "${@:3}"; do
        ensure "${2##*/} $name" "$1/$2/$name" "$STORAGE_API" create_part "$1/$2/$name"
    done
}

create_part() {
    write_az resource create --id "$1" --api-version "$STORAGE_API" --properties '{}'
}
