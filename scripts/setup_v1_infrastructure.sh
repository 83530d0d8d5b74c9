#!/usr/bin/env bash
# Makes everything that V1.0 needs on Azure, or with --what-if says what it would make. What stands already is
# left as it is, so that it can be run again after a failure, and after the steps that it names at its end.
set -euo pipefail
# What fails within $( ) fails all of it. Hence also: no $( ) below within a test or an argument that may fail.
shopt -s inherit_errexit

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/options.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/resources.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/storage.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/monitoring.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/key_vault.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/functions_app.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/mysql.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/synapse.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/databricks.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/data_factory.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/scripts/azure/roles.sh"

main() {
    read_options "$@"
    require_programs
    open_scratch
    open_subscription
    register_providers
    make_resource_group
    make_storage
    make_monitoring
    make_key_vault
    make_mysql
    make_synapse
    make_functions_app
    make_databricks
    grant_roles
    make_functions_key
    make_data_factory
    say_what_is_left
}

main "$@"
