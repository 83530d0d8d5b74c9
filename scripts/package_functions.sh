#!/bin/sh
# Builds what is deployed as the Azure Functions app: a folder, and the zip of it.
#
#   scripts/package_functions.sh [FOLDER]     FOLDER (dist/functions) and FOLDER.zip
#
# host.json, function_app.py and requirements.txt are at the root, where Azure looks for them, and beside them
# is what the functions import. Azure installs the requirements itself:
#
#   az functionapp deployment source config-zip --build-remote true --src dist/functions.zip ...
#
# The same sources give the same bytes, so that a zip can be traced to its commit.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
target=${1:-$root/dist/functions}
mkdir -p "$(dirname "$target")"
target=$(cd "$(dirname "$target")" && pwd)/$(basename "$target")

# What is there is replaced, so it has to be a package.
is_package() { [ -f "$1/host.json" ] && [ -d "$1/backend/myfunc" ]; }
if [ -e "$target" ] && ! is_package "$target" && [ -n "$(ls -A "$target")" ]; then
    echo "package_functions: $target is not a package of the functions, and is left as it is" >&2
    exit 1
fi

package=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$package" "$package.zip"' EXIT
chmod 755 "$package"

# The other edges, and what migrates the database, need libraries that the functions are not given.
cd "$root"
find backend -name '*.py' \
    ! -path 'backend/local/*' ! -path 'backend/client/*' \
    ! -path 'backend/commands/*' ! -path backend/command_line.py ! -path backend/__main__.py \
    ! -path 'backend/routes/*' ! -path 'backend/console/*' ! -path backend/app.py \
    ! -path 'backend/databricks/*' \
    ! -path 'backend/adapters/migrations/*' ! -path backend/adapters/schema_migration.py |
    while read -r module; do
        mkdir -p "$package/$(dirname "$module")"
        cp "$module" "$package/$module"
    done
mv "$package/backend/myfunc/function_app.py" "$package/function_app.py"
cp backend/myfunc/host.json "$package/host.json"
cp requirements-functions.txt "$package/requirements.txt"

# Neither compressed nor dated: both would differ from machine to machine.
python3 - "$package" <<'PYTHON'
import sys
import zipfile
from pathlib import Path

package = Path(sys.argv[1])
with zipfile.ZipFile(f"{package}.zip", "w") as archive:
    for path in sorted(path for path in package.rglob("*") if path.is_file()):
        entry = zipfile.ZipInfo(path.relative_to(package).as_posix())
        entry.external_attr = 0o100644 << 16
        archive.writestr(entry, path.read_bytes())
PYTHON

rm -rf "$target"
mv "$package" "$target"
mv "$package.zip" "$target.zip"
echo "$target.zip: $(wc -c <"$target.zip") bytes"
