from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One stack for every test that does not stop it."""
    with RunningStack(state_folder(tmp_path_factory)) as running:
        yield running.wait_ready()


@pytest.fixture
def user(stack: RunningStack) -> Iterator[ApiUser]:
    user = ApiUser(stack.url)
    yield user
    user.close()


def state_folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("stack") / "state"
