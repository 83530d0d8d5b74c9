from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.adapters.account_database import AccountDatabase
from backend.adapters.schema_migration import migrate
from backend.domain.errors import Conflict, InvalidSettings, Unavailable
from backend.domain.identifiers import new_user_id
from backend.ports import Account


@pytest.fixture
def database(tmp_path: Path) -> Iterator[AccountDatabase]:
    url = f"sqlite:///{tmp_path / 'accounts.sqlite'}"
    migrate(url)
    database = AccountDatabase(url)
    yield database
    database.close()


def test_an_account_is_found_by_its_username_ignoring_case(database: AccountDatabase) -> None:
    ada = Account(new_user_id(), "Ada.Lovelace", "hash-1")
    database.add(ada)
    assert database.find("Ada.Lovelace") == ada
    assert database.find("ADA.LOVELACE") == ada
    assert database.find("ada") is None


def test_a_username_is_taken_ignoring_case(database: AccountDatabase) -> None:
    database.add(Account(new_user_id(), "Ada", "hash-1"))
    with pytest.raises(Conflict) as caught:
        database.add(Account(new_user_id(), "aDA", "hash-2"))
    assert caught.value.code == "username_taken"


def test_one_of_many_simultaneous_registrations_wins(database: AccountDatabase) -> None:
    def register(number: int) -> bool:
        try:
            database.add(Account(new_user_id(), "ada", f"hash-{number}"))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(register, range(8))) == 1


def test_accounts_outlive_the_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'accounts.sqlite'}"
    ada = Account(new_user_id(), "ada", "hash")
    migrate(url)
    first = AccountDatabase(url)
    first.add(ada)
    first.close()
    migrate(url)
    second = AccountDatabase(url)
    assert second.find("ada") == ada
    second.close()


def test_a_database_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    database = AccountDatabase(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite'}")
    with pytest.raises(Unavailable):
        database.ping()
    database.close()


@pytest.mark.parametrize("url", ["", "not a url", "nosuch://host/db", "sqlite+nosuch:///x"])
def test_a_url_of_no_database_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^DATABASE_URL names no database that can be used$"):
        AccountDatabase(url)


def test_a_mysql_url_is_taken() -> None:
    database = AccountDatabase("mysql+pymysql://user:secret@127.0.0.1:1/db")
    with pytest.raises(Unavailable):
        database.ping()
    database.close()
