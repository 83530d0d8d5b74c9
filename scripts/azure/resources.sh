# shellcheck shell=bash
# Looking for what stands, and making what does not.

say() {
    printf '%s\n' "$*"
}

die() {
    printf 'set-up: %s\n' "$*" >&2
    exit 1
}

require_programs() {
    local program programs=(az python3)
    if [[ -z $WHAT_IF ]]; then
        programs+=(mysql "$root/.venv/bin/python")
        [[ -n $SKIP_DATABRICKS ]] || programs+=(databricks)
    fi
    for program in "${programs[@]}"; do
        command -v "$program" >/dev/null || die "$program is needed and not on PATH; docs/azure_setup.md says from where"
    done
}

# A folder that only this user reads, and that goes when this ends: secrets reach az in files, as every user of
# the machine can read a program's arguments.
open_scratch() {
    umask 077
    SCRATCH=$(mktemp -d)
    trap 'rm -rf "$SCRATCH"' EXIT
}

open_subscription() {
    SUBSCRIPTION=$(read_az account show --query id) || die "az is not signed in: az login"
    TENANT=$(read_az account show --query tenantId)
    GROUP_ID=/subscriptions/$SUBSCRIPTION/resourceGroups/$RESOURCE_GROUP
    GROUP_STANDS=$(read_az group exists --name "$RESOURCE_GROUP")
}

# read_az COMMAND...: what a command that changes nothing answers, a null as nothing.
read_az() {
    az "$@" --output tsv --only-show-errors
}

# write_az COMMAND...: a command that changes something. Its answer may hold secrets, and nobody reads it.
write_az() {
    [[ -z $WHAT_IF ]] || die "a mistake in the set-up: --what-if would have run az $1 $2"
    az "$@" --output none --only-show-errors
}

# exists ID API_VERSION: whether the resource stands; one whose making failed does not. Anything but a plain no ends
# the set-up: to take an outage for a no would be to make secrets anew that are in use.
exists() {
    [[ $GROUP_STANDS == true ]] || return 1
    local status=0 state
    state=$(read_az resource show --ids "$1" --api-version "$2" --query properties.provisioningState 2>"$SCRATCH/error") ||
        status=$?
    case $status in
        0) [[ $state != Failed && $state != Canceled ]] && return 0 || return 1 ;;
        3) return 1 ;; # az's status for "not found"
    esac
    grep -q MissingSubscriptionRegistration "$SCRATCH/error" && return 1
    cat "$SCRATCH/error" >&2
    die "could not find out whether there is $1"
}

# property ID API_VERSION QUERY: of a resource that stands; nothing of one that does not stand yet (--what-if).
property() {
    if exists "$1" "$2"; then
        read_az resource show --ids "$1" --api-version "$2" --query "$3"
    fi
}

# ensure DESCRIPTION ID API_VERSION COMMAND...
ensure() {
    local description=$1 id=$2 api_version=$3
    shift 3
    if exists "$id" "$api_version"; then
        say "stands      $description"
    else
        change "$description" "$@"
    fi
}

# ensure_object DESCRIPTION ID API_VERSION JSON: JSON is all of the object, with its location and SKU.
ensure_object() {
    ensure "$1" "$2" "$3" create_object "$2" "$3" "$4"
}

create_object() {
    write_az resource create --id "$1" --api-version "$2" --is-full-object --properties "$3"
}

# change DESCRIPTION COMMAND...
change() {
    if [[ -n $WHAT_IF ]]; then
        say "would make  $1"
    else
        say "making      $1"
        "${@:2}"
    fi
}

# patiently COMMAND...: again and again for ten minutes, which is what a new role may take to be known everywhere.
patiently() {
    local attempt
    for attempt in {1..20}; do
        if "$@"; then
            return
        fi
        say "            not yet ($attempt of 20)"
        sleep "$RETRY_SECONDS"
    done
    die "${*:1:4} has failed for ten minutes; when its cause is gone, run this again"
}

# A subscription knows only the services that it has registered; a new one knows few.
register_providers() {
    local provider state
    for provider in Storage OperationalInsights Insights KeyVault DBforMySQL Synapse Sql Web Databricks DataFactory; do
        provider=Microsoft.$provider
        state=$(read_az provider show --namespace "$provider" --query registrationState)
        if [[ $state == Registered ]]; then
            say "stands      registration of $provider"
        else
            change "registration of $provider" write_az provider register --namespace "$provider" --wait
        fi
    done
}

make_resource_group() {
    if [[ $GROUP_STANDS == true ]]; then
        say "stands      resource group $RESOURCE_GROUP"
    else
        change "resource group $RESOURCE_GROUP" create_resource_group
    fi
}

create_resource_group() {
    write_az group create --name "$RESOURCE_GROUP" --location "$LOCATION"
    GROUP_STANDS=true
}

say_what_is_left() {
    [[ -z $WHAT_IF ]] || say "Nothing was changed."
    say "docs/azure_setup.md says what comes next: the functions' package, the warehouse's schema, the API."
}
