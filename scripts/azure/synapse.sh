# shellcheck shell=bash
# The warehouse: a workspace that knows no password at all, and its dedicated SQL pool, which costs by the hour.

SYNAPSE_API=2021-06-01

make_synapse() {
    SYNAPSE_ID=$GROUP_ID/providers/Microsoft.Synapse/workspaces/$SYNAPSE_WORKSPACE
    if [[ -n $SKIP_SYNAPSE ]]; then
        say "left out    Synapse"
        return
    fi
    ensure "Synapse workspace $SYNAPSE_WORKSPACE" "$SYNAPSE_ID" "$SYNAPSE_API" create_synapse
    # The Functions app and Data Factory call from addresses of Azure that are not theirs alone.
    ensure "Synapse: calls from Azure" "$SYNAPSE_ID/firewallRules/AllowAllWindowsAzureIps" "$SYNAPSE_API" \
        write_az synapse workspace firewall-rule create --name AllowAllWindowsAzureIps --resource-group "$RESOURCE_GROUP" \
        --workspace-name "$SYNAPSE_WORKSPACE" --start-ip-address 0.0.0.0 --end-ip-address 0.0.0.0
    ensure "dedicated SQL pool $WAREHOUSE ($SYNAPSE_LEVEL)" "$SYNAPSE_ID/sqlPools/$WAREHOUSE" "$SYNAPSE_API" \
        write_az synapse sql pool create --name "$WAREHOUSE" --resource-group "$RESOURCE_GROUP" \
        --workspace-name "$SYNAPSE_WORKSPACE" --performance-level "$SYNAPSE_LEVEL"
}

# `az synapse workspace create` asks for a SQL administrator's password; with Entra identities alone there is none.
create_synapse() {
    local administrator
    administrator=$(own_object_id)
    create_object "$SYNAPSE_ID" "$SYNAPSE_API" "{
        \"location\": \"$LOCATION\", \"identity\": {\"type\": \"SystemAssigned\"},
        \"properties\": {
            \"azureADOnlyAuthentication\": true,
            \"cspWorkspaceAdminProperties\": {\"initialWorkspaceAdminObjectId\": \"$administrator\"},
            \"defaultDataLakeStorage\": {\"accountUrl\": \"https://$LAKE_ACCOUNT.dfs.core.windows.net\",
                \"filesystem\": \"$LAKE_CONTAINER\", \"createManagedPrivateEndpoint\": false},
            \"trustedServiceBypassEnabled\": false}}"
}

# Who sets up: a person, or the service principal of a pipeline.
own_object_id() {
    local name kind
    kind=$(read_az account show --query user.type)
    if [[ $kind == user ]]; then
        read_az ad signed-in-user show --query id
    else
        name=$(read_az account show --query user.name)
        read_az ad sp show --id "$name" --query id
    fi
}
