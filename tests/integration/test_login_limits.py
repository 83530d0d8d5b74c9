"""The limits of guessing passwords, over several processes of the API."""

from pathlib import Path

import pytest
import requests

from backend.routes.credential_limits import network
from tests.faults.login_limits import (
    ADDRESS_LIMIT,
    USERNAME_LIMIT,
    guess_from_one_address,
    guess_one_password,
    log_in,
    served,
)

ACCOUNT = {"username": "Victim", "password": "correct horse battery"}


def test_processes_count_the_guesses_from_one_address_together(tmp_path: Path) -> None:
    with served(tmp_path) as urls:
        tally = guess_from_one_address(urls, 60)
        assert tally.wrong == []
        assert dict(tally.statuses) == {401: ADDRESS_LIMIT, 429: 60 - ADDRESS_LIMIT}
        assert log_in(urls[0], "user-1", "guess", "203.0.113.10").status == 401


def test_one_password_is_not_guessed_from_many_addresses(tmp_path: Path) -> None:
    with served(tmp_path) as urls:
        registered = requests.post(f"{urls[0]}/register", json=ACCOUNT, timeout=10)
        assert registered.status_code == 201
        tally = guess_one_password(urls, 30)
        assert tally.wrong == []
        assert dict(tally.statuses) == {401: USERNAME_LIMIT, 429: 30 - USERNAME_LIMIT}
        assert log_in(urls[1], "VICTIM", ACCOUNT["password"], "198.51.100.1").status == 429
        assert log_in(urls[1], "other", "guess", "198.51.100.1").status == 401


def test_logins_that_succeed_are_not_charged_to_the_user(tmp_path: Path) -> None:
    with served(tmp_path, FAILED_LOGIN_LIMIT="1 per hour") as urls:
        assert requests.post(f"{urls[0]}/register", json=ACCOUNT, timeout=10).status_code == 201
        statuses = [
            log_in(urls[0], "victim", ACCOUNT["password"], f"203.0.113.{number}").status
            for number in range(4)
        ]
        assert statuses == [200, 200, 200, 200]


def test_without_a_trusted_proxy_nobody_chooses_the_address_that_is_counted(tmp_path: Path) -> None:
    with served(tmp_path, TRUSTED_PROXY_COUNT="0", CREDENTIAL_RATE_LIMIT="2 per hour") as urls:
        statuses = [log_in(urls[0], "user", "guess", f"203.0.113.{number}").status for number in range(3)]
        assert statuses == [401, 401, 429]


def test_of_a_proxys_addresses_the_last_one_counts(tmp_path: Path) -> None:
    with served(tmp_path, CREDENTIAL_RATE_LIMIT="2 per hour") as urls:
        forged = [f"198.51.100.{number}, 203.0.113.1:{4_000 + number}" for number in range(3)]
        statuses = [log_in(urls[0], "user", "guess", addresses).status for addresses in forged]
        assert statuses == [401, 401, 429]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_an_address_is_counted_by_its_network(address: str, expected: str) -> None:
    assert network(address) == expected
