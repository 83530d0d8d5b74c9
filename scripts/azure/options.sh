# shellcheck shell=bash disable=SC2034 # what is set here is read by the other files
# What the set-up is told, and the names that follow from it.

usage() {
    cat <<'END'
Usage: scripts/setup_v1_infrastructure.sh --prefix NAME --location REGION --alert-email ADDRESS [options]

Makes what is missing of the service's infrastructure in the subscription that az is signed in to.

  --prefix NAME           begins every name: 3 to 11 lower-case letters and digits, a letter first. Accounts are
                          named for all of Azure, so it has to be one that nobody else has   (PREFIX)
  --location REGION       such as westeurope                                                 (LOCATION)
  --alert-email ADDRESS   who is told when a pipeline fails                                  (ALERT_EMAIL)
  --resource-group NAME   by default NAME-orchestrator                                       (RESOURCE_GROUP)
  --storage-sku SKU       by default Standard_ZRS; Standard_LRS where there are no zones     (STORAGE_SKU)
  --mysql-sku SKU         by default Standard_D2ads_v5                                       (MYSQL_SKU)
  --synapse-level LEVEL   by default DW100c, the smallest                                    (SYNAPSE_LEVEL)
  --client-address IP     this machine's public address, if it is outside Azure: MySQL lets it in while its
                          schema and users are made                                          (CLIENT_ADDRESS)
  --api-principal ID      object id of the API's identity, to be given its roles             (API_PRINCIPAL)
  --skip-synapse          without the warehouse, and so without Data Factory's pipelines     (SKIP_SYNAPSE=1)
  --skip-databricks       without the large path, and so without Data Factory's pipelines    (SKIP_DATABRICKS=1)
  --migrate               bring MySQL's schema and grants up to date, for a new version      (MIGRATE=1)
  --what-if               reads, changes nothing, and says what would be made
  --help                  this

A variable of the environment, in brackets, does the same as its option. docs/azure_setup.md says more.
END
}

read_options() {
    WHAT_IF=
    while [[ $# -gt 0 ]]; do
        case $1 in
            --what-if) WHAT_IF=1 ;;
            --skip-synapse) SKIP_SYNAPSE=1 ;;
            --skip-databricks) SKIP_DATABRICKS=1 ;;
            --migrate) MIGRATE=1 ;;
            --help) usage && exit 0 ;;
            *)
                [[ $# -ge 2 ]] || die "$1 is no option, or lacks its value; --help lists them"
                read_value "$1" "$2"
                shift
                ;;
        esac
        shift
    done
    set_defaults
    check_options
    set_names
}

read_value() {
    case $1 in
        --prefix) PREFIX=$2 ;;
        --location) LOCATION=$2 ;;
        --alert-email) ALERT_EMAIL=$2 ;;
        --resource-group) RESOURCE_GROUP=$2 ;;
        --storage-sku) STORAGE_SKU=$2 ;;
        --mysql-sku) MYSQL_SKU=$2 ;;
        --synapse-level) SYNAPSE_LEVEL=$2 ;;
        --client-address) CLIENT_ADDRESS=$2 ;;
        --api-principal) API_PRINCIPAL=$2 ;;
        *) die "$1 is no option; --help lists them" ;;
    esac
}

set_defaults() {
    : "${PREFIX:=}" "${LOCATION:=}" "${ALERT_EMAIL:=}" "${API_PRINCIPAL:=}" "${CLIENT_ADDRESS:=}"
    : "${RESOURCE_GROUP:=$PREFIX-orchestrator}" "${STORAGE_SKU:=Standard_ZRS}"
    : "${MYSQL_SKU:=Standard_D2ads_v5}" "${SYNAPSE_LEVEL:=DW100c}"
    : "${SKIP_SYNAPSE:=}" "${SKIP_DATABRICKS:=}" "${MIGRATE:=}" "${RETRY_SECONDS:=30}"
    # 0 is what a person writes who does not want it.
    SKIP_SYNAPSE=${SKIP_SYNAPSE#0} SKIP_DATABRICKS=${SKIP_DATABRICKS#0} MIGRATE=${MIGRATE#0}
}

# Names go into JSON and into resource ids as they are, so none may hold anything that means something there.
check_options() {
    check --prefix "$PREFIX" '^[a-z][a-z0-9]{2,10}$' "3 to 11 lower-case letters and digits, a letter first"
    check --location "$LOCATION" '^[a-z][a-z0-9]+$' "a region's short name, such as westeurope"
    check --alert-email "$ALERT_EMAIL" '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$' "an e-mail address"
    check --resource-group "$RESOURCE_GROUP" '^[A-Za-z0-9_-]{1,90}$' "letters, digits, - and _"
    check --storage-sku "$STORAGE_SKU" '^Standard_(LRS|ZRS|GRS|GZRS)$' "Standard_ and LRS, ZRS, GRS or GZRS"
    check --mysql-sku "$MYSQL_SKU" '^Standard_[BDE][a-z0-9_]+$' "such as Standard_B2ms or Standard_D2ads_v5"
    check --synapse-level "$SYNAPSE_LEVEL" '^DW[0-9]+c$' "such as DW100c"
    check --client-address "$CLIENT_ADDRESS" '^([0-9]{1,3}(\.[0-9]{1,3}){3})?$' "an IPv4 address"
    check --api-principal "$API_PRINCIPAL" '^([0-9a-f-]{36})?$' "the object id of a service principal"
}

check() {
    [[ $2 =~ $3 ]] || die "$1 has to be $4, not '$2'"
}

set_names() {
    QUEUE_ACCOUNT=${PREFIX}queues
    LAKE_ACCOUNT=${PREFIX}lake
    LOG_WORKSPACE=$PREFIX-logs
    INSIGHTS=$PREFIX-insights
    ACTION_GROUP=$PREFIX-alerts
    VAULT=$PREFIX-vault
    MYSQL_SERVER=$PREFIX-mysql
    SYNAPSE_WORKSPACE=$PREFIX-synapse
    FUNCTIONS_PLAN=$PREFIX-functions-plan
    FUNCTIONS_APP=$PREFIX-functions
    DATABRICKS_WORKSPACE=$PREFIX-databricks
    DATABRICKS_APPLICATION=$PREFIX-databricks-job
    FACTORY=$PREFIX-factory
    QUEUES=(small-batch-queue large-batch-queue data-generation-queue)
    TABLES=(JobProgress Datasets IdempotencyKeys OpenJobs JobEndings Notifications)
    BRONZE_CONTAINER=shanlee-raw-data
    LAKE_CONTAINER=datalake
    PACKAGE_CONTAINER=function-packages
    DATABASE=orchestrator
    WAREHOUSE=warehouse
}
