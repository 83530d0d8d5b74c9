"""The attacks of `tests/faults`, in their short form."""

from collections.abc import Iterator

import pytest

from tests.e2e.running_stack import RunningStack
from tests.faults.attacks import (
    OPEN_OPERATIONS,
    Scene,
    scene,
    try_ids_of_another,
    try_methods,
    try_names,
    try_names_in_bodies,
    try_tokens,
)
from tests.faults.login_timing import compare_logins
from tests.faults.secret_search import search


@pytest.fixture(scope="module")
def attacked(stack: RunningStack) -> Iterator[Scene]:
    with scene(stack) as attacked:
        yield attacked


def test_every_call_takes_a_token_but_for_the_known_ones(attacked: Scene) -> None:
    guarded = {each.name for each in attacked.guarded}
    assert {each.name for each in attacked.operations} - guarded == OPEN_OPERATIONS
    assert len(guarded) >= 12


def test_no_call_takes_a_token_that_is_not_good(attacked: Scene) -> None:
    tallies = try_tokens(attacked)
    assert [tally.wrong for tally in tallies if tally.wrong] == []
    assert len(tallies) == 9


def test_the_ids_of_another_user_get_what_ids_of_nobodys_get(attacked: Scene) -> None:
    before = attacked.victim.call("GET", "/jobs").json()
    tally = try_ids_of_another(attacked)
    assert tally.wrong == []
    assert tally.statuses.total() >= 40
    assert attacked.victim.call("GET", "/jobs").json() == before


def test_their_owner_is_answered_at_the_same_addresses(attacked: Scene) -> None:
    for path in ("", "/quality", "/tables/dim_users?format=csv"):
        assert attacked.victim.call("GET", f"/jobs/{attacked.job_id}{path}").status_code == 200


def test_hostile_names_in_addresses_get_what_unknown_names_get(attacked: Scene) -> None:
    assert try_names(attacked, random_count=20, seed=7).wrong == []


def test_hostile_names_in_bodies_queries_and_headers_are_refused(attacked: Scene) -> None:
    assert try_names_in_bodies(attacked).wrong == []


def test_methods_that_an_address_does_not_take_do_nothing(attacked: Scene) -> None:
    assert try_methods(attacked).wrong == []


def test_the_time_of_a_login_does_not_tell_who_exists(attacked: Scene) -> None:
    times = compare_logins(attacked.api, attacked.victim.username, 40)
    assert times.alike, times.outcome


def test_no_secret_is_in_a_log_in_an_answer_or_in_what_is_kept(stack: RunningStack) -> None:
    found = search(stack)
    assert found.found == []
    assert found.kept == {"jwt_secret_key", "connection_string"}
    assert found.places > 30
