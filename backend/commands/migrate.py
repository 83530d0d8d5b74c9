"""`python -m backend migrate`: bring the databases to the schema that this version of the service needs."""

import argparse
import sys

from backend.adapters.schema_migration import migrate, migration_script
from backend.domain.errors import InvalidSettings, Unavailable
from backend.settings import required_database_url


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--script", action="store_true", help="print the SQL of every migration for MySQL, and change nothing"
    )


def run(arguments: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Migrate what the environment names; 0, or 1 after one line on stderr."""
    if arguments.script:
        print(migration_script("mysql+pymysql://"), end="")
        return 0
    try:
        migrate(required_database_url())
    except (InvalidSettings, Unavailable) as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    print("The operational database has the schema that this version needs.")
    return 0
