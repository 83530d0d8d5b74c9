"""The data contract as code: Bronze records in, Silver, quarantine and Gold tables out."""
