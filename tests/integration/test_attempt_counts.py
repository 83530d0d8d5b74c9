"""Counts in the operational database, on SQLite and MariaDB."""

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.adapters.attempt_counts import AttemptCountDatabase
from backend.adapters.database_engine import open_engine
from backend.adapters.schema_migration import migrate
from backend.domain.errors import Unavailable
from backend.ports import AttemptCounts
from backend.routes.shared_counts import SharedCounts
from tests.mariadb_server import MariaDbServer
from tests.waiting import wait_until


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'counts.sqlite'}"
    else:
        server: MariaDbServer = request.getfixturevalue("mariadb")
        url = server.create_database(f"counts_{secrets.token_hex(6)}")
    migrate(url)
    return url


@pytest.fixture
def open_counts(url: str) -> Iterator[Callable[[], AttemptCountDatabase]]:
    opened: list[AttemptCountDatabase] = []

    def open_() -> AttemptCountDatabase:
        opened.append(AttemptCountDatabase(url))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def test_all_who_count_count_together(open_counts: Callable[[], AttemptCountDatabase]) -> None:
    many = [open_counts() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda number: many[number % 4].add("address/a", 1, 600), range(100)))
    assert sorted(counts) == list(range(1, 101))
    assert many[0].window("address/a")[0] == 100


def test_each_key_has_a_window_of_its_own_that_its_first_attempt_begins(
    open_counts: Callable[[], AttemptCountDatabase],
) -> None:
    counts, began = open_counts(), time.time()
    assert [counts.add("a", 1, 600), counts.add("a", 2, 900), counts.add("b", 1, 60)] == [1, 3, 1]
    number, ends_at = counts.window("a")
    assert number == 3
    assert began + 598 < ends_at < began + 602
    assert counts.window("c")[0] == 0


def test_a_window_that_is_over_begins_anew(open_counts: Callable[[], AttemptCountDatabase]) -> None:
    counts = open_counts()
    assert counts.add("a", 5, 1) == 5
    wait_until(lambda: counts.window("a")[0] == 0, 10)
    assert counts.add("a", 1, 600) == 1
    assert counts.window("a")[0] == 1


def test_what_is_over_is_forgotten_and_no_key_is_kept_as_it_is(
    url: str, open_counts: Callable[[], AttemptCountDatabase]
) -> None:
    open_counts().add("ada", 1, 1)
    open_counts().add("bob", 1, 600)
    wait_until(lambda: open_counts().window("ada")[0] == 0, 10)
    open_counts().add("eve", 1, 600)
    engine = open_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT key_digest, attempts FROM credential_attempts")).all()
    engine.dispose()
    assert sorted(count for _, count in rows) == [1, 1]
    assert not {"ada", "bob", "eve"} & {digest for digest, _ in rows}


def test_without_an_answer_a_process_counts_alone_and_does_not_ask_again_at_once(tmp_path: Path) -> None:
    asked = []

    def silent() -> AttemptCounts:
        asked.append(1)
        raise Unavailable("the database does not answer")

    counts = SharedCounts(silent)
    assert [counts.incr("a", 600), counts.incr("a", 600), counts.get("a")] == [1, 2, 2]
    assert counts.get_expiry("a") > time.time()
    assert len(asked) == 1
