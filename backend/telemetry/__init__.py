"""What is told of the work: lines of the log, and traces. It knows no SDK, and costs nothing to import."""
