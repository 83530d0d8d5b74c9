# shellcheck shell=bash
# Where logs go, and who is told.

INSIGHTS_API=2020-02-02

make_monitoring() {
    LOG_WORKSPACE_ID=$GROUP_ID/providers/Microsoft.OperationalInsights/workspaces/$LOG_WORKSPACE
    INSIGHTS_ID=$GROUP_ID/providers/Microsoft.Insights/components/$INSIGHTS
    ACTION_GROUP_ID=$GROUP_ID/providers/Microsoft.Insights/actionGroups/$ACTION_GROUP
    ensure "Log Analytics workspace $LOG_WORKSPACE" "$LOG_WORKSPACE_ID" 2023-09-01 create_log_workspace
    # Telemetry is taken from identities with the role for it alone, and not from whoever knows the key.
    ensure_object "Application Insights $INSIGHTS" "$INSIGHTS_ID" "$INSIGHTS_API" "{
        \"location\": \"$LOCATION\", \"kind\": \"web\",
        \"properties\": {\"Application_Type\": \"web\", \"DisableLocalAuth\": true,
            \"WorkspaceResourceId\": \"$LOG_WORKSPACE_ID\"}}"
    ensure "action group $ACTION_GROUP" "$ACTION_GROUP_ID" 2023-01-01 create_action_group
}

create_log_workspace() {
    write_az monitor log-analytics workspace create --name "$LOG_WORKSPACE" --resource-group "$RESOURCE_GROUP" \
        --location "$LOCATION" --retention-time 30
}

create_action_group() {
    write_az monitor action-group create --name "$ACTION_GROUP" --resource-group "$RESOURCE_GROUP" \
        --short-name orchestrator --action email on-call "$ALERT_EMAIL"
}
