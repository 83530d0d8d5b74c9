"""What Alembic runs to migrate: over the connection that it is given, or into a script without one."""

from typing import Any

from alembic import context

from backend.adapters.operational_schema import METADATA


def _migrate(**target: Any) -> None:
    context.configure(target_metadata=METADATA, **target)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    _migrate(url=context.config.get_main_option("sqlalchemy.url"), literal_binds=True)
else:
    _migrate(connection=context.config.attributes["connection"])
