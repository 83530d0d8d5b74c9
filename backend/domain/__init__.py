"""What the service is about, in plain values: jobs, datasets, messages, identifiers and errors."""
