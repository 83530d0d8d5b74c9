"""An app that does not import."""

raise RuntimeError("no app today")
