"""Fixtures that every kind of test may ask for."""

from collections.abc import Iterator

import pytest

from tests.local_storage import LocalStorage, running_local_storage
from tests.mariadb_server import MariaDbServer, running_mariadb


@pytest.fixture(scope="session")
def local_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStorage]:
    """One storage account for the whole run: a test takes containers, queues and tables of its own in it."""
    with running_local_storage(tmp_path_factory.mktemp("storage")) as storage:
        yield storage


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDbServer]:
    """One MariaDB for the whole run: a test makes databases of its own in it."""
    with running_mariadb(tmp_path_factory.mktemp("mariadb")) as server:
        yield server
