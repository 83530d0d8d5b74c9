"""Realistic Bronze records, deterministic by seed."""
