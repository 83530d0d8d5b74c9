"""`python -m backend migrate`: bring the databases to the schema that this version of the service needs."""

import argparse
import logging
from collections.abc import Iterator
from contextlib import closing

from backend.adapters.schema_migration import migrate, migration_script
from backend.command_line import CommandFailed, ExitStatus
from backend.commands.printing import add_json_argument, print_json
from backend.domain.errors import InvalidSettings, Unavailable
from backend.settings import database_url, warehouse_address

EXAMPLES = ("migrate", "migrate --script")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--script", action="store_true", help="print the SQL of every migration for MySQL, and change nothing"
    )
    add_json_argument(parser)


def run(arguments: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Migrate what the environment names, and print which databases were; 0."""
    if arguments.script:
        script = migration_script("mysql+pymysql://")
        if arguments.json:
            print_json({"script": script})
        else:
            print(script, end="")
        return ExitStatus.DONE
    migrated: list[str] = []
    try:
        for name in _migrated():
            migrated.append(name)
            if not arguments.json:
                print(f"The {name} has the schema that this version needs.")
    except InvalidSettings as error:
        raise CommandFailed("invalid_settings", str(error)) from error
    except Unavailable as error:
        raise CommandFailed("unavailable", str(error)) from error
    finally:
        # Also when the second one fails.
        if arguments.json:
            print_json({"migrated": migrated})
    return ExitStatus.DONE


def _migrated() -> Iterator[str]:
    """The name of each database, once it has the schema."""
    url, address = database_url(), warehouse_address()
    if url is None and address is None:
        raise InvalidSettings("set DATABASE_URL, or SYNAPSE_SERVER and SYNAPSE_DATABASE, or all")
    if url is not None:
        migrate(url)
        yield "operational database"
    if address is not None:
        _migrate_warehouse(*address)
        yield "warehouse"


def _migrate_warehouse(server: str, database: str) -> None:
    from backend.adapters.synapse_schema import deploy_schema
    from backend.adapters.synapse_warehouse import connect

    # The identities that are tried in vain; the error says so once.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    with closing(connect(server, database)) as connection:
        deploy_schema(connection)
