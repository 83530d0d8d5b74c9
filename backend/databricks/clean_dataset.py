"""Cleans the dataset of one message of the large path with the cluster's Spark: the wheel's entry point.

It is told ids and the names of accounts. Who it is to storage stands in the environment of the cluster's
machines, where the executors find it too.
"""

import argparse
import os
from collections.abc import Sequence

import msgspec
from pyspark.sql import SparkSession

from backend.bootstrap import build_services, send_traces
from backend.domain.errors import InvalidSettings
from backend.domain.jobs import ProcessingPath
from backend.domain.messages import LargeBatchMessage
from backend.settings import Settings
from backend.telemetry import traces
from backend.telemetry.job_work import working_on
from backend.telemetry.log_lines import log_json_lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Clean one dataset. Bad arguments exit with 2.

    Args:
        arguments: as `--help` tells them; by default those of the process.

    Raises:
        Exception: another attempt may mend it, so the run has to show as failed; what no attempt can mend is
            told in the job's progress alone.
    """
    log_json_lines("databricks")
    parser = _parser()
    told = parser.parse_args(arguments)
    told.trace_parent = told.trace_parent or None
    try:
        message = msgspec.convert(told, LargeBatchMessage, strict=False, from_attributes=True)
        settings = _settings(told)
        send_traces(settings, "databricks")
    except (msgspec.ValidationError, InvalidSettings) as error:
        parser.error(str(error))
    services = build_services(settings)
    spark = SparkSession.builder.getOrCreate()
    try:
        with working_on(message, "clean dataset", attempt=message.attempt):
            services.large_batch_cleaning(spark).run(message, delivery=message.attempt)
    finally:
        traces.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("clean-dataset", description="Clean one dataset of the large path.")
    for name, metavar, meaning in (
        ("--user-id", "ID", "whose dataset it is"),
        ("--parent-job-id", "ID", "the dataset"),
        ("--job-id", "ID", "the cleaning job"),
        ("--as-of", "INSTANT", "the moment that rules take for now"),
        ("--submission", "N", "how many attempts the job had seen when it was sent"),
        ("--attempt", "N", "which run of the job's message this is, from 1"),
        ("--trace-parent", "ID", "the trace of the request that asked for the job, or nothing"),
        ("--storage-account", "NAME", "the account of queues and tables"),
        ("--lake-account", "NAME", "the account of Bronze, Silver and Gold"),
    ):
        parser.add_argument(name, required=True, metavar=metavar, help=meaning)
    parser.set_defaults(processing_path=ProcessingPath.LARGE_BATCH)
    return parser


def _settings(told: argparse.Namespace) -> Settings:
    """The environment's settings, with the accounts that the run was told. Raises InvalidSettings."""
    accounts = {"AZURE_STORAGE_ACCOUNT": told.storage_account, "ADLS_ACCOUNT": told.lake_account}
    return Settings.from_environment(os.environ | accounts)
