# shellcheck shell=bash
# The large path: a workspace, the identity that its job runs as, and the job. docs/databricks.md says why so.

DATABRICKS_API=2024-05-01
SECRET_SCOPE=data-orchestrator

make_databricks() {
    DATABRICKS_ID=$GROUP_ID/providers/Microsoft.Databricks/workspaces/$DATABRICKS_WORKSPACE
    JOB_APPLICATION_ID='' JOB_PRINCIPAL=''
    local job_id
    if [[ -n $SKIP_DATABRICKS ]]; then
        say "left out    Databricks"
        return
    fi
    # Premium is the tier that knows permissions on jobs.
    ensure_object "Databricks workspace $DATABRICKS_WORKSPACE" "$DATABRICKS_ID" "$DATABRICKS_API" "{
        \"location\": \"$LOCATION\", \"sku\": {\"name\": \"premium\"},
        \"properties\": {\"managedResourceGroupId\": \"$GROUP_ID-databricks\",
            \"parameters\": {\"enableNoPublicIp\": {\"value\": true}}}}"
    make_job_identity
    job_id=$(app_setting DATABRICKS_JOB_ID)
    if [[ -n $job_id ]]; then
        say "stands      Databricks: the job clean-dataset"
    else
        change "Databricks: the job's identity in the workspace, its secrets, and the job clean-dataset" deploy_job
    fi
}

make_job_identity() {
    find_job_identity
    if [[ -n $JOB_APPLICATION_ID ]]; then
        say "stands      application $DATABRICKS_APPLICATION"
    else
        change "application $DATABRICKS_APPLICATION" create_application
    fi
    if [[ -n $JOB_PRINCIPAL ]]; then
        say "stands      service principal $DATABRICKS_APPLICATION"
    else
        change "service principal $DATABRICKS_APPLICATION" create_principal
    fi
}

# az takes a display name for the beginning of one.
find_job_identity() {
    local mine="[?displayName=='$DATABRICKS_APPLICATION']"
    JOB_APPLICATION_ID=$(read_az ad app list --display-name "$DATABRICKS_APPLICATION" --query "$mine.appId | [0]")
    JOB_PRINCIPAL=$(read_az ad sp list --display-name "$DATABRICKS_APPLICATION" --query "$mine.id | [0]")
}

# Their ids are those of the answers: what was just made is listed only after a while.
create_application() {
    JOB_APPLICATION_ID=$(read_az ad app create --display-name "$DATABRICKS_APPLICATION" \
        --sign-in-audience AzureADMyOrg --query appId)
}

create_principal() {
    JOB_PRINCIPAL=$(read_az ad sp create --id "$JOB_APPLICATION_ID" --query id)
}

deploy_job() {
    local host principal functions_application job_id
    host=$(property "$DATABRICKS_ID" "$DATABRICKS_API" properties.workspaceUrl)
    principal=$(property "$FUNCTIONS_ID" "$SITES_API" identity.principalId)
    functions_application=$(read_az ad sp show --id "$principal" --query appId)
    export DATABRICKS_HOST=https://$host
    DATABRICKS_AUTH_TYPE=azure-cli admit "$JOB_APPLICATION_ID" "$DATABRICKS_APPLICATION" '{"value": "allow-cluster-create"}'
    DATABRICKS_AUTH_TYPE=azure-cli admit "$functions_application" "$FUNCTIONS_APP" ''
    # Earlier secrets end with this: one that a broken-off set-up made is held by nobody.
    read_az ad app credential reset --id "$JOB_APPLICATION_ID" --display-name databricks --query password >"$SCRATCH/client-secret"
    DATABRICKS_AUTH_TYPE=azure-cli keep_secrets
    job_id=$(deploy_bundle "$functions_application")
    rm "$SCRATCH/client-secret"
    [[ $job_id =~ ^[0-9]+$ ]] || die "Databricks names no job clean_dataset after its deployment"
    write_az functionapp config appsettings set --name "$FUNCTIONS_APP" --resource-group "$RESOURCE_GROUP" \
        --settings "DATABRICKS_HOST=$host" "DATABRICKS_JOB_ID=$job_id"
}

# admit APPLICATION_ID NAME ENTITLEMENT: make a service principal known to the workspace.
admit() {
    local known
    known=$(databricks service-principals list --filter "applicationId eq \"$1\"" --output json)
    [[ $known == *"$1"* ]] || databricks service-principals create --json \
        "{\"applicationId\": \"$1\", \"displayName\": \"$2\", \"active\": true, \"entitlements\": [$3]}" >/dev/null
}

keep_secrets() {
    local scopes
    scopes=$(databricks secrets list-scopes --output json)
    [[ $scopes == *"\"$SECRET_SCOPE\""* ]] || databricks secrets create-scope "$SECRET_SCOPE"
    printf %s "$TENANT" | databricks secrets put-secret "$SECRET_SCOPE" tenant-id
    printf %s "$JOB_APPLICATION_ID" | databricks secrets put-secret "$SECRET_SCOPE" client-id
    printf %s "$(<"$SCRATCH/client-secret")" | databricks secrets put-secret "$SECRET_SCOPE" client-secret
    databricks secrets put-acl "$SECRET_SCOPE" "$JOB_APPLICATION_ID" READ
}

# deploy_bundle FUNCTIONS_APPLICATION_ID: as the job's own identity, whose folder nobody else can write to; answers
# the job's id.
deploy_bundle() (
    cd "$root/infrastructure"
    export DATABRICKS_AUTH_TYPE=azure-client-secret ARM_TENANT_ID=$TENANT ARM_CLIENT_ID=$JOB_APPLICATION_ID
    ARM_CLIENT_SECRET=$(<"$SCRATCH/client-secret")
    export ARM_CLIENT_SECRET
    export BUNDLE_VAR_service_principal=$JOB_APPLICATION_ID BUNDLE_VAR_caller=$1
    export BUNDLE_VAR_storage_account=$QUEUE_ACCOUNT BUNDLE_VAR_lake_account=$LAKE_ACCOUNT
    # A secret that was just made is not known everywhere at once.
    patiently databricks bundle deploy --target prod >&2
    databricks bundle summary --target prod --output json |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["resources"]["jobs"]["clean_dataset"]["id"])'
)
