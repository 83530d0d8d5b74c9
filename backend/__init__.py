"""The Universal AI Data Orchestrator."""
