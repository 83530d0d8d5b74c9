"""`python -m backend migrate`: bring the databases to the schema that this version of the service needs."""

import argparse
import logging
import sys
from contextlib import closing

from backend.adapters.schema_migration import migrate, migration_script
from backend.domain.errors import InvalidSettings, Unavailable
from backend.settings import database_url, warehouse_address


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
    url, address = database_url(), warehouse_address()
    if url is None and address is None:
        print("migrate: set DATABASE_URL, or SYNAPSE_SERVER and SYNAPSE_DATABASE, or all", file=sys.stderr)
        return 1
    try:
        if url is not None:
            migrate(url)
            print("The operational database has the schema that this version needs.")
        if address is not None:
            _migrate_warehouse(*address)
            print("The warehouse has the schema that this version needs.")
    except (InvalidSettings, Unavailable) as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    return 0


def _migrate_warehouse(server: str, database: str) -> None:
    from backend.adapters.synapse_schema import deploy_schema
    from backend.adapters.synapse_warehouse import connect

    # The identities that are tried in vain; the error says so once.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    with closing(connect(server, database)) as connection:
        deploy_schema(connection)
