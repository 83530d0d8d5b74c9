# Sourced by scripts/start and scripts/test, which set `root` first.
# Finds a Python that can make the virtual environment, and has environment.py make it.

find_python() {
    without_venv=
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
        if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            python=$candidate
            return
        fi
        without_venv=$candidate
    done
    if [ -n "$without_venv" ]; then
        echo "set-up: $without_venv lacks the modules venv and ensurepip; on Debian and Ubuntu: apt install python3-venv" >&2
    else
        echo "set-up: Python 3.11 or newer is needed, and there is none on PATH" >&2
    fi
    exit 1
}

# prepare_environment SET: what environment.py is to set up, `product`, `tests` or `bench`.
prepare_environment() {
    find_python
    "$python" "$root/scripts/environment.py" "$1" || exit 1
}
