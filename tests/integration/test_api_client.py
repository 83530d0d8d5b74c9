"""What the client of the API does when an answer is not the one that was hoped for."""

import io
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.client.access_tokens import Tokens
from backend.client.api_client import ApiClient
from backend.client.errors import ServiceError
from backend.client.job_following import follow
from tests.integration.scripted_service import BROKEN, ScriptedService, scripted_service

EXPIRED = {"success": False, "error": "token_expired", "message": "The token has expired."}
UNAVAILABLE = {"success": False, "error": "storage_unavailable", "message": "Storage does not answer."}


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    with scripted_service() as service:
        yield service


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept, in place of sleeping."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def failure(error: pytest.ExceptionInfo[ServiceError]) -> tuple[str, str]:
    return error.value.code, str(error.value)


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_as_long_as_it_is_told_and_asks_again(
    service: ScriptedService, naps: list[float], status: int
) -> None:
    service.answer(status, UNAVAILABLE, Retry_After="7")
    service.answer(200, {"jobs": []})
    assert ApiClient(service.url).get("/jobs") == {"jobs": []}
    assert (naps, service.asked) == ([7], ["GET /jobs", "GET /jobs"])


def test_it_does_not_wait_for_ever(service: ScriptedService, naps: list[float]) -> None:
    for _ in range(4):
        service.answer(503, UNAVAILABLE | {"requestId": "r1"}, Retry_After="86400")
    with pytest.raises(ServiceError) as error:
        ApiClient(service.url).get("/jobs")
    assert naps == [20, 20, 20]
    assert failure(error) == (
        "storage_unavailable",
        "Storage does not answer. (Retry-After: 86400, requestId: r1)",
    )


def test_a_submission_whose_answer_is_lost_is_sent_again_with_its_key(
    service: ScriptedService, naps: list[float]
) -> None:
    service.answer(BROKEN)
    service.answer(202, {"jobId": "j"})
    answer = ApiClient(service.url).post("/clean_data", {"dataCount": 1}, idempotency_key="k1")
    assert answer == {"jobId": "j"}
    assert [(call.headers["Idempotency-Key"], call.body) for call in service.calls] == [
        ("k1", b'{"dataCount": 1}'),
        ("k1", b'{"dataCount": 1}'),
    ]


@pytest.mark.parametrize("path", ["/generate_raw", "/jobs/j/retry", "/login"])
def test_what_may_have_been_done_is_not_asked_for_twice(service: ScriptedService, path: str) -> None:
    service.answer(BROKEN)
    with pytest.raises(ServiceError, match=r"^the connection to ") as error:
        ApiClient(service.url).post(path, {})
    assert (error.value.code, len(service.calls)) == ("unreachable", 1)


def test_an_upload_is_never_sent_twice(service: ScriptedService) -> None:
    service.answer(503, UNAVAILABLE, Retry_After="1")
    with pytest.raises(ServiceError, match="Storage does not answer"):
        ApiClient(service.url).upload(io.BytesIO(b"[]"), "application/json")
    assert len(service.calls) == 1


def test_sample_data_that_was_refused_undone_is_asked_for_again(
    service: ScriptedService, naps: list[float]
) -> None:
    service.answer(429, {"error": "too_many_open_jobs", "message": "Wait."}, Retry_After="5")
    service.answer(202, {"jobId": "j"})
    assert ApiClient(service.url).post("/generate_raw", {}) == {"jobId": "j"}
    assert naps == [5]


def test_an_access_token_is_got_and_renewed_by_the_refresh_token(service: ScriptedService) -> None:
    service.answer(200, {"access_token": "a1"})
    service.answer(200, {"jobs": [1]})
    service.answer(401, EXPIRED)
    service.answer(200, {"access_token": "a2"})
    service.answer(200, {"jobs": [2]})
    api = ApiClient(service.url, Tokens(refresh="r"))
    assert [api.get("/jobs")["jobs"], api.get("/jobs")["jobs"]] == [[1], [2]]
    assert [call.headers["Authorization"] for call in service.calls] == [
        *("Bearer r", "Bearer a1", "Bearer a1", "Bearer r", "Bearer a2")
    ]


def test_a_log_in_that_is_over_is_told(service: ScriptedService) -> None:
    service.answer(401, EXPIRED)
    with pytest.raises(ServiceError) as error:
        ApiClient(service.url, Tokens(refresh="r")).get("/jobs")
    message = f"the log-in at {service.url} is good no longer: log in again"
    assert failure(error) == ("not_logged_in", message)


def test_nothing_is_sent_that_netrc_has_for_the_host(
    service: ScriptedService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    service.answer(200, {"success": True})
    service.answer(200, {"success": True})
    ApiClient(service.url).get("/healthz")
    ApiClient(service.url, Tokens(access="a")).get("/jobs")
    assert [call.headers.get("Authorization") for call in service.calls] == [None, "Bearer a"]


def test_what_is_not_the_service_is_told(service: ScriptedService) -> None:
    service.answer(200, b"<html>")
    with pytest.raises(ServiceError) as error:
        ApiClient(service.url).get("/jobs")
    assert failure(error) == (
        "unexpected_answer",
        (f"GET {service.url}/jobs answered 200, and not as the service would: is the address right?"),
    )


def test_nothing_is_sent_to_where_an_answer_points(service: ScriptedService) -> None:
    service.answer(307, {}, Location="http://127.0.0.1:1/login")
    with pytest.raises(ServiceError, match="answered 307, and not as the service would"):
        ApiClient(service.url).post("/login", {"password": "secret"})
    assert service.asked == ["POST /login"]


def test_where_nothing_listens_nobody_waits() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ServiceError) as error:
        ApiClient(url).get("/jobs")
    message = f"nothing answers at {url}: start the service, or give its --url"
    assert failure(error) == ("unreachable", message)


def test_a_download_that_breaks_off_is_an_error(service: ScriptedService) -> None:
    service.answer(200, b"a,b\n1,", Content_Length="100")
    with (
        pytest.raises(ServiceError, match="broke"),
        ApiClient(service.url).download("/jobs/j/tables/silver", format="csv") as pieces,
    ):
        list(pieces)


def test_a_service_that_is_started_again_is_waited_for(service: ScriptedService, naps: list[float]) -> None:
    service.answer(200, {"status": "queued"})
    for _ in range(4):
        # The client's own repeats are used up by these.
        service.answer(BROKEN)
    service.answer(200, {"status": "completed"})
    followed = [job["status"] for job in follow(ApiClient(service.url), "j")]
    assert followed == ["queued", "completed"]


def test_a_service_that_does_not_answer_at_first_is_not_waited_for(
    service: ScriptedService, naps: list[float]
) -> None:
    for _ in range(4):
        service.answer(BROKEN)
    with pytest.raises(ServiceError, match="broke"):
        list(follow(ApiClient(service.url), "j"))
