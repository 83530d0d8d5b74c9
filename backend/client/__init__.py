"""The service as a program of its user sees it: over HTTP, knowing nothing of how it works."""
