"""The Spark worker of one machine: what Databricks' Jobs API and a job cluster are on Azure.

A process of its own, so that its Spark session stays warm and nobody else waits for it. It is asked over
HTTP, by `backend.adapters.spark_worker_jobs`:

    POST /runs       the JSON of a LargeBatchMessage: {"runId": "..."}; the same run for the same attempt
    GET /runs/{id}   {"state": "running"}, "succeeded" or "failed"; 404 for a run that this process never had
    GET /runs        {"active": 2}
    GET /status      {"state": "starting", "message": "..."}, "ready" or "unavailable"

Without a session `POST /runs` answers 503, with the message that says what is missing.
"""
