# shellcheck shell=bash
# Data Factory, from its template, and its triggers once there is something for them to call.

FACTORY_API=2018-06-01
TRIGGERS=(every_10_minutes every_10_hours every_day)

make_data_factory() {
    FACTORY_ID=$GROUP_ID/providers/Microsoft.DataFactory/factories/$FACTORY
    if [[ -n $SKIP_SYNAPSE || -n $SKIP_DATABRICKS ]]; then
        say "left out    Data Factory: its pipelines need Synapse and Databricks"
        return
    fi
    local deployment parameters=()
    read_factory_parameters
    # A template or a parameter that has changed is another deployment.
    deployment=data-factory-$(cat "$root/infrastructure/v1_adf_template.json" <(printf '%s\n' "${parameters[@]}") | checksum)
    ensure "Data Factory $FACTORY ($deployment)" "$GROUP_ID/providers/Microsoft.Resources/deployments/$deployment" \
        2024-03-01 deploy_factory "$deployment"
    grant_factory
    start_triggers
}

checksum() {
    python3 -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:12])'
}

read_factory_parameters() {
    local host job_id
    host=$(property "$DATABRICKS_ID" "$DATABRICKS_API" properties.workspaceUrl)
    job_id=$(app_setting DATABRICKS_JOB_ID)
    parameters=(
        "factoryName=$FACTORY"
        "location=$LOCATION"
        "keyVaultUrl=https://$VAULT.vault.azure.net/"
        "functionsAppUrl=https://$FUNCTIONS_APP.azurewebsites.net"
        "functionsKeySecret=functions-host-key"
        "storageAccount=$LAKE_ACCOUNT" # Bronze lies in the lake's account
        "lakeAccount=$LAKE_ACCOUNT"
        "databricksHost=$host"
        "databricksWorkspaceId=$DATABRICKS_ID"
        "databricksJobId=$job_id"
        "mySqlServer=$MYSQL_SERVER.mysql.database.azure.com"
        "mySqlDatabase=$DATABASE"
        "mySqlUser=$RECONCILIATION_USER"
        "mySqlPasswordSecret=mysql-reconciliation-password"
        "synapseServer=$SYNAPSE_WORKSPACE.sql.azuresynapse.net"
        "synapseDatabase=$WAREHOUSE"
        "actionGroupId=$ACTION_GROUP_ID"
        "logAnalyticsWorkspaceId=$LOG_WORKSPACE_ID"
    )
}

deploy_factory() {
    local trigger state
    # A trigger that runs can't be deployed over; start_triggers starts it again.
    for trigger in "${TRIGGERS[@]}"; do
        state=$(trigger_state "$trigger")
        [[ $state != Started ]] || operate_trigger "$trigger" stop
    done
    write_az deployment group create --name "$1" --resource-group "$RESOURCE_GROUP" --no-prompt true \
        --template-file "$root/infrastructure/v1_adf_template.json" --parameters "${parameters[@]}"
}

start_triggers() {
    local trigger state
    if ! exists "$FUNCTIONS_ID/functions/load_gold" "$SITES_API"; then
        say "left out    triggers: the Functions app holds no functions yet"
        return
    fi
    for trigger in "${TRIGGERS[@]}"; do
        state=$(trigger_state "$trigger")
        if [[ $state == Started ]]; then
            say "stands      trigger $trigger, started"
        else
            change "trigger $trigger, started" operate_trigger "$trigger" start
        fi
    done
}

trigger_state() {
    property "$FACTORY_ID/triggers/$1" "$FACTORY_API" properties.runtimeState
}

# operate_trigger NAME start|stop: `az datafactory` would need an extension.
operate_trigger() {
    write_az rest --method post --url "https://management.azure.com$FACTORY_ID/triggers/$1/$2?api-version=$FACTORY_API"
}
