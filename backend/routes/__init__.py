"""HTTP in, HTTP out: check, call one service, answer."""
