"""Fixtures that every kind of test may ask for."""

from collections.abc import Iterator

import pytest

from tests.local_storage import LocalStorage, running_local_storage


@pytest.fixture(scope="session")
def local_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStorage]:
    """One storage account for the whole run: a test takes containers, queues and tables of its own in it."""
    with running_local_storage(tmp_path_factory.mktemp("storage")) as storage:
        yield storage
