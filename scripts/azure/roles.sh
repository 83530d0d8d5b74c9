# shellcheck shell=bash
# Who may do what. Every role is given on the smallest thing that it is needed for: a queue, a table, a container,
# a secret. docs/azure_setup.md has the same as a table, which a test holds to this.

grant_roles() {
    local bronze=$LAKE_ACCOUNT_ID/blobServices/default/containers/$BRONZE_CONTAINER
    local lake=$LAKE_ACCOUNT_ID/blobServices/default/containers/$LAKE_CONTAINER
    local queues=$QUEUE_ACCOUNT_ID/queueServices/default/queues tables=$QUEUE_ACCOUNT_ID/tableServices/default/tables
    grant_functions_app
    [[ -n $SKIP_DATABRICKS ]] || grant_databricks_job
    [[ -n $SKIP_SYNAPSE ]] || grant_synapse
    [[ -z $API_PRINCIPAL ]] || grant_api
}

grant_functions_app() {
    local queue table principal
    principal=$(property "$FUNCTIONS_ID" "$SITES_API" identity.principalId)
    # The host's own: its locks and keys, and the package that it runs. The lake is another account.
    grant "Functions app" "$principal" "Storage Blob Data Owner" "$QUEUE_ACCOUNT_ID"
    for queue in "${QUEUES[@]}"; do
        # Message Processor and Sender are not enough: a lease is renewed, and a failed message put off, by
        # updating the message, which of the built-in roles Contributor alone allows.
        grant "Functions app" "$principal" "Storage Queue Data Contributor" "$queues/$queue"
        # The poison queues stand already, so that sending is all that is done to them.
        grant "Functions app" "$principal" "Storage Queue Data Message Sender" "$queues/$queue-poison"
    done
    # IdempotencyKeys is the API's alone.
    for table in JobProgress Datasets OpenJobs JobEndings Notifications; do
        grant "Functions app" "$principal" "Storage Table Data Contributor" "$tables/$table"
    done
    # It generates sample data into Bronze.
    grant "Functions app" "$principal" "Storage Blob Data Contributor" "$bronze"
    grant "Functions app" "$principal" "Storage Blob Data Contributor" "$lake"
    grant "Functions app" "$principal" "Key Vault Secrets User" "$VAULT_ID/secrets/database-url-functions"
    grant "Functions app" "$principal" "Monitoring Metrics Publisher" "$INSIGHTS_ID"
}

grant_databricks_job() {
    grant "Databricks job" "$JOB_PRINCIPAL" "Storage Blob Data Reader" "$bronze"
    grant "Databricks job" "$JOB_PRINCIPAL" "Storage Blob Data Contributor" "$lake"
    grant "Databricks job" "$JOB_PRINCIPAL" "Storage Table Data Contributor" "$tables/JobProgress"
    # How many parts a dataset has, so that none is missed.
    grant "Databricks job" "$JOB_PRINCIPAL" "Storage Table Data Reader" "$tables/Datasets"
    # A job that it begins is put into the index of open jobs; one that it fails is taken out, counted and told.
    grant "Databricks job" "$JOB_PRINCIPAL" "Storage Table Data Contributor" "$tables/OpenJobs"
    grant "Databricks job" "$JOB_PRINCIPAL" "Storage Table Data Contributor" "$tables/JobEndings"
    grant "Databricks job" "$JOB_PRINCIPAL" "Storage Table Data Contributor" "$tables/Notifications"
}

# COPY INTO reads Gold with the workspace's identity.
grant_synapse() {
    local principal
    principal=$(property "$SYNAPSE_ID" "$SYNAPSE_API" identity.principalId)
    grant Synapse "$principal" "Storage Blob Data Reader" "$lake"
}

# The API sends to the small and large queues and asks for sample data; it takes nothing off a queue.
grant_api() {
    local queue table secret
    for queue in "${QUEUES[@]}"; do
        grant API "$API_PRINCIPAL" "Storage Queue Data Message Sender" "$queues/$queue"
        # Its health check asks after them, and its metrics how long they are.
        grant API "$API_PRINCIPAL" "Storage Queue Data Reader" "$queues/$queue"
        grant API "$API_PRINCIPAL" "Storage Queue Data Reader" "$queues/$queue-poison"
    done
    for table in "${TABLES[@]}"; do
        grant API "$API_PRINCIPAL" "Storage Table Data Contributor" "$tables/$table"
    done
    grant API "$API_PRINCIPAL" "Storage Blob Data Contributor" "$bronze"
    # It deletes a dataset's outputs when its owner deletes the dataset.
    grant API "$API_PRINCIPAL" "Storage Blob Data Contributor" "$lake"
    for secret in database-url-api jwt-secret-key; do
        grant API "$API_PRINCIPAL" "Key Vault Secrets User" "$VAULT_ID/secrets/$secret"
    done
    # Where its traces go.
    grant API "$API_PRINCIPAL" "Monitoring Metrics Publisher" "$INSIGHTS_ID"
}

grant_factory() {
    local principal secret
    principal=$(property "$FACTORY_ID" "$FACTORY_API" identity.principalId)
    # The linked services test themselves with these; its pipelines move no data, they call the functions.
    grant "Data Factory" "$principal" "Storage Blob Data Reader" "$LAKE_ACCOUNT_ID/blobServices/default/containers/$BRONZE_CONTAINER"
    grant "Data Factory" "$principal" "Storage Blob Data Reader" "$LAKE_ACCOUNT_ID/blobServices/default/containers/$LAKE_CONTAINER"
    for secret in functions-host-key mysql-reconciliation-password; do
        grant "Data Factory" "$principal" "Key Vault Secrets User" "$VAULT_ID/secrets/$secret"
    done
}

# grant WHO PRINCIPAL ROLE SCOPE: PRINCIPAL is empty when, with --what-if, there is none yet.
grant() {
    local principal=$2 role=$3 scope=$4 assignment=
    local description="role of $1: $role on ${scope#"$GROUP_ID"/providers/}"
    if [[ -n $principal && $GROUP_STANDS == true ]]; then
        assignment=$(read_az role assignment list --assignee-object-id "$principal" --role "$role" --scope "$scope" \
            --fill-principal-name false --query '[0].id')
    fi
    if [[ -n $assignment ]]; then
        say "stands      $description"
    else
        change "$description" write_az role assignment create --assignee-object-id "$principal" \
            --assignee-principal-type ServicePrincipal --role "$role" --scope "$scope"
    fi
}
