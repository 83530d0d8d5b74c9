# shellcheck shell=bash
# The Functions app on the Flex Consumption plan. It costs nothing while nobody cleans, scales each function by its
# own queue, and gives an instance 4 GiB, which pandas needs and the Consumption plan's 1.5 do not give; that plan
# also knows no warm-up trigger. Elastic Premium would do as well, for the price of a machine that always runs.

SITES_API=2024-04-01

make_functions_app() {
    local plan_id=$GROUP_ID/providers/Microsoft.Web/serverfarms/$FUNCTIONS_PLAN
    FUNCTIONS_ID=$GROUP_ID/providers/Microsoft.Web/sites/$FUNCTIONS_APP
    ensure_object "Flex Consumption plan $FUNCTIONS_PLAN" "$plan_id" "$SITES_API" "{
        \"location\": \"$LOCATION\", \"kind\": \"functionapp\", \"sku\": {\"name\": \"FC1\", \"tier\": \"FlexConsumption\"},
        \"properties\": {\"reserved\": true}}"
    ensure "Functions app $FUNCTIONS_APP" "$FUNCTIONS_ID" "$SITES_API" create_functions_app "$plan_id"
}

# The whole app at once: `az functionapp create` would put a storage key into its settings for a moment.
create_functions_app() {
    local connection
    connection=$(property "$INSIGHTS_ID" "$INSIGHTS_API" properties.ConnectionString)
    create_object "$FUNCTIONS_ID" "$SITES_API" "{
        \"location\": \"$LOCATION\", \"kind\": \"functionapp,linux\", \"identity\": {\"type\": \"SystemAssigned\"},
        \"properties\": {
            \"serverFarmId\": \"$1\", \"httpsOnly\": true,
            \"siteConfig\": {\"minTlsVersion\": \"1.2\", \"ftpsState\": \"Disabled\",
                \"appSettings\": [$(app_settings "$connection" | as_json_settings)]},
            \"functionAppConfig\": {
                \"runtime\": {\"name\": \"python\", \"version\": \"3.11\"},
                \"scaleAndConcurrency\": {\"instanceMemoryMB\": 4096, \"maximumInstanceCount\": 40},
                \"deployment\": {\"storage\": {\"type\": \"blobContainer\",
                    \"value\": \"https://$QUEUE_ACCOUNT.blob.core.windows.net/$PACKAGE_CONTAINER\",
                    \"authentication\": {\"type\": \"SystemAssignedIdentity\"}}}}}}"
}

# app_settings INSIGHTS_CONNECTION: backend/settings.py says what the service's own mean; DATABRICKS_* come with the
# bundle. The first three are the host's, the next three the triggers', named by Azure's rules for connections.
app_settings() {
    local queues=AZURE_STORAGE_CONNECTION_STRING
    cat <<END
AzureWebJobsStorage__accountName=$QUEUE_ACCOUNT
APPLICATIONINSIGHTS_CONNECTION_STRING=$1
APPLICATIONINSIGHTS_AUTHENTICATION_STRING=Authorization=AAD
${queues}__accountName=$QUEUE_ACCOUNT
${queues}__queueServiceUri=https://$QUEUE_ACCOUNT.queue.core.windows.net
${queues}__credential=managedidentity
ADLS_ACCOUNT=$LAKE_ACCOUNT
SMALL_BATCH_QUEUE=${QUEUES[0]}
LARGE_BATCH_QUEUE=${QUEUES[1]}
DATA_GENERATION_QUEUE=${QUEUES[2]}
DATABASE_URL=@Microsoft.KeyVault(SecretUri=https://$VAULT.vault.azure.net/secrets/database-url-functions/)
END
    if [[ -z $SKIP_SYNAPSE ]]; then
        echo "SYNAPSE_SERVER=$SYNAPSE_WORKSPACE.sql.azuresynapse.net"
        echo "SYNAPSE_DATABASE=$WAREHOUSE"
    fi
}

as_json_settings() {
    local name value comma=
    while IFS='=' read -r name value; do
        printf '%s{"name": "%s", "value": "%s"}' "$comma" "$name" "$value"
        comma=,
    done
}

# app_setting NAME: its value, or nothing.
app_setting() {
    if exists "$FUNCTIONS_ID" "$SITES_API"; then
        read_az functionapp config appsettings list --name "$FUNCTIONS_APP" --resource-group "$RESOURCE_GROUP" \
            --query "[?name=='$1'].value | [0]"
    fi
}

# The key with which Data Factory calls the functions. Azure makes it, it goes into the vault, and only the
# factory's identity can read it there.
make_functions_key() {
    if secret_stands functions-host-key; then
        say "stands      secret functions-host-key"
    else
        change "secret functions-host-key" create_functions_key
    fi
}

create_functions_key() {
    local app=(--name "$FUNCTIONS_APP" --resource-group "$RESOURCE_GROUP")
    # The app keeps its keys in its storage account, for which it has just been given the role.
    patiently write_az functionapp keys set "${app[@]}" --key-type functionKeys --key-name data-factory
    read_az functionapp keys list "${app[@]}" --query 'functionKeys."data-factory"' >"$SCRATCH/functions-host-key"
    write_secret functions-host-key
}
