"""The short form of bad input: a thousand made-up calls, and hostile bodies of a twentieth of their size."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.bad_input import USUAL_CASES, TriedApi, tried_api
from tests.faults.hostile_uploads import send_hostile_bodies

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def prepared() -> Iterator[TriedApi]:
    with tried_api() as tried:
        yield tried


@pytest.fixture
def tried(prepared: TriedApi) -> TriedApi:
    return replace(prepared, statuses=Counter(), wrong=[])


def test_every_made_up_call_is_answered_as_the_document_says(tried: TriedApi) -> None:
    assert tried.try_calls(USUAL_CASES) >= 1_000
    assert tried.try_sequences(10) >= 50
    assert tried.wrong == []
    # The only 503 here is that of a caller who waits for a worker.
    assert {status for status in tried.statuses if status >= 500} <= {503}


def test_an_answer_that_the_document_does_not_allow_is_found(
    tried: TriedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    [broken] = [rule.endpoint for rule in tried.app.url_map.iter_rules() if rule.rule == "/routing_config"]
    monkeypatch.setitem(tried.app.view_functions, broken, lambda **_: ({"paths": "none"}, 200))
    tried.try_calls(60)
    assert tried.wrong != []
    assert [wrong for wrong in tried.wrong if "/routing_config" not in wrong] == []


def test_hostile_bodies_are_answered_in_bounded_time_and_memory(tmp_path: Path) -> None:
    answered = send_hostile_bodies(tmp_path, scale=5)
    assert len(answered) == 53
    assert [each for each in answered if each.status not in each.body.statuses] == []
    assert max(each.seconds for each in answered) < 60
    assert max(each.megabytes for each in answered) < 800
