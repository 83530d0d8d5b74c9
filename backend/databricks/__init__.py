"""The Databricks job of the large path, deployed as a wheel by `infrastructure/databricks.yml`."""
