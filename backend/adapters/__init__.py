"""One module for each outside system, each behind a port."""
