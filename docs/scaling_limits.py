"""Azure's published limits that docs/SCALING.md counts with, each with where it was read and its date.

Microsoft's pages could not be reached from where this was written: these are stored copies of them, found on
2026-11-23, some of them years old.
"""

from dataclasses import dataclass

_DOCS = "https://github.com/MicrosoftDocs/azure-docs/blob/main/"


@dataclass(frozen=True)
class Limit:
    """A figure, what it counts, where it stands, and the date of that page."""

    figure: float
    unit: str
    source: str
    dated: str


LIMITS = {
    "requests": Limit(
        20_000,
        "requests a second to a storage account (40,000 in some regions, says rate-limits.apis.io)",
        f"{_DOCS}includes/azure-storage-account-limits-standard.md",
        "2020",
    ),
    "ingress": Limit(
        25,
        "Gbit/s into a storage account in Europe and the US",
        f"{_DOCS}includes/azure-storage-account-limits-standard.md",
        "2020",
    ),
    "queue": Limit(
        2_000,
        "messages of 1 KiB a second on one queue",
        "https://docs.microsoft.com/en-gb/azure/storage/queues/scalability-targets",
        "undated",
    ),
    "partition": Limit(
        2_000,
        "entities of 1 KiB a second in one partition of a table",
        f"{_DOCS}includes/storage-tables-scale-targets.md",
        "2018",
    ),
    "blob": Limit(
        500,
        "requests a second to a single blob; no blob here gets ten",
        f"{_DOCS}includes/storage-blob-scale-targets.md",
        "2021",
    ),
    "instance memory": Limit(
        512_000,
        "MB of all Flex Consumption instances of a region and subscription: 125 of 4 GB; can be raised",
        f"{_DOCS}articles/azure-functions/flex-consumption-plan.md",
        "2024",
    ),
    "instances": Limit(
        1_000,
        "instances of a Flex Consumption app at most; the set-up asks for 40",
        f"{_DOCS}articles/azure-functions/flex-consumption-plan.md",
        "2024",
    ),
    "scale-out": Limit(
        30,
        "seconds between new instances for triggers other than HTTP (Consumption; Flex is said to be faster)",
        f"{_DOCS}articles/azure-functions/event-driven-scaling.md",
        "2020",
    ),
    "messages": Limit(
        16,
        "messages on the queue for which an instance is added (`batchSize`), up to four instances at once",
        f"{_DOCS}articles/azure-functions/functions-target-based-scaling.md",
        "2023",
    ),
    "processes": Limit(
        1,
        "Python process an instance; Microsoft advises one for each core when work is bound by the CPU",
        f"{_DOCS}articles/azure-functions/python-scale-performance-reference.md",
        "2023",
    ),
    "http answer": Limit(
        230,
        "seconds to answer an HTTP call of a function",
        f"{_DOCS}includes/functions-timeout-duration.md",
        "2026",
    ),
    "mysql disk": Limit(
        16,
        "TiB of storage of a MySQL server up to General Purpose",
        f"{_DOCS}articles/mysql/flexible-server/concepts-service-tiers-storage.md",
        "2022",
    ),
    "mysql iops": Limit(
        3_200,
        "IOPS of a Standard_D2ads_v5, with 1,365 connections",
        f"{_DOCS}articles/mysql/flexible-server/concepts-service-tiers-storage.md",
        "2022",
    ),
    "synapse": Limit(
        4,
        "queries at a time on a DW100c (8 on a DW200c); `load_lock` makes it one load",
        f"{_DOCS}articles/synapse-analytics/sql-data-warehouse/memory-concurrency-limits.md",
        "2021",
    ),
    "databricks": Limit(
        1_000,
        "tasks at a time in a workspace (2,000 by a newer copy)",
        "https://learn.microsoft.com/en-gb/azure/databricks/resources/limits",
        "undated",
    ),
}
