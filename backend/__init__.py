"""The Universal AI Data Orchestrator."""

__version__ = "1.0.0.dev0"
