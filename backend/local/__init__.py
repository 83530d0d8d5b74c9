"""Stand-ins for what Azure provides, on one machine. Nothing here is deployed."""
