"""The commands of `python -m backend`, one module each; imported when they are called."""
