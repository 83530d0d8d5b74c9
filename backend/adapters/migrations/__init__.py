"""Alembic's migrations of the operational database."""
