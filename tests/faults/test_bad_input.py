"""The short form of bad input: a thousand made-up calls."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.bad_input import USUAL_CASES, TriedApi, tried_api

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
