"""The command line by itself: how light it is, how it ends, what it keeps."""

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.client.errors import ServiceError
from backend.client.saved_login import SavedLogin, SavedLogins
from tests.command_line_user import CommandLineUser, command
from tests.integration.scripted_service import ScriptedService, scripted_service
from tests.waiting import wait_until

HEAVY = ("azure", "flask", "numpy", "pandas", "pyarrow", "pydantic", "rich", "sqlalchemy")
JOB = {
    "jobId": "a" * 32,
    "status": "queued",
    "stage": "queued",
    "progress": {"percent": 0},
    "kind": "clean",
    "processingPath": None,
    "recordCount": 1,
    "submittedAt": "2026-11-23T10:00:00Z",
    "jobName": "tabs\tand\nlines",
}


def shell_of(service: ScriptedService, folder: Path) -> CommandLineUser:
    return CommandLineUser(folder, service.url, ORCHESTRATOR_TOKEN="t")  # noqa: S106 - nobody checks it


def test_listing_jobs_imports_nothing_heavy(tmp_path: Path) -> None:
    program = f"""
import sys
from backend.command_line import main
assert main(["jobs"]) == 0
loaded = sorted(set({HEAVY!r}) & set(sys.modules))
assert not loaded, loaded
"""
    with scripted_service() as service:
        service.answer(200, {"jobs": [JOB], "nextCursor": None})
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=shell_of(service, tmp_path).environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_in_the_data_parts_no_fields(tmp_path: Path) -> None:
    with scripted_service() as service:
        service.answer(200, {"jobs": [JOB], "nextCursor": None})
        done = shell_of(service, tmp_path).run("jobs")
    fields = ["a" * 32, "queued", "0%", "clean", "1", "2026-11-23T10:00:00Z", "tabs\\tand\\nlines"]
    assert done.stdout == "\t".join(fields) + "\n"


def test_what_the_encoding_lacks_is_written_out(tmp_path: Path) -> None:
    with scripted_service() as service:
        for _ in range(2):
            service.answer(200, {"jobs": [JOB | {"jobName": "José"}], "nextCursor": None})
        shell = shell_of(service, tmp_path)
        shell.environment["PYTHONIOENCODING"] = "ascii"
        assert shell.run("jobs").stdout.endswith("\tJos\\xe9\n")
        assert json.loads(shell.run("jobs", "--json").stdout)["jobs"][0]["jobName"] == "José"


def test_records_that_were_uploaded_and_not_taken_on_are_not_lost(tmp_path: Path) -> None:
    refusal = {"error": "too_many_open_jobs", "message": "Wait until one has ended."}
    with scripted_service() as service:
        service.answer(200, {"threshold": 10})
        service.answer(201, {"parentJobId": "d" * 32})
        service.answer(409, refusal)
        (tmp_path / "orders.json").write_text("[]")
        done = shell_of(service, tmp_path).run("submit", "orders.json", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (1, {"jobs": []})
    kept = f"its records are kept as dataset {'d' * 32}, for --dataset"
    message = f"orders.json: Wait until one has ended. ({kept})"
    assert json.loads(done.stderr) == {"error": "too_many_open_jobs", "message": message}


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    with scripted_service() as service:
        service.answer(200, {"jobs": [JOB] * 10_000, "nextCursor": None})
        with subprocess.Popen(
            command(["jobs", "--all"]),
            env=shell_of(service, tmp_path).environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline().startswith(b"a" * 32)
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0


@pytest.fixture
def in_the_foreground() -> Iterator[None]:
    """What runs in a shell's background ignores Ctrl-C, and so does all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("in_the_foreground")
def test_ctrl_c_ends_quietly_with_130(tmp_path: Path) -> None:
    with scripted_service() as service:
        for _ in range(1000):
            service.answer(200, JOB)
        with subprocess.Popen(
            command(["status", "a" * 32, "--watch", "--json"]),
            env=shell_of(service, tmp_path).environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            wait_until(lambda: len(service.calls) > 1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize(
    "words",
    [
        ["submit"],
        ["submit", "a.csv", "--sample", "5"],
        ["submit", "a.csv", "--seed", "5"],
        ["submit", "-", "-"],
        ["status"],
        ["status", ""],
        ["status", "a", "--timeout", "-1"],
        ["status", "a", "--timeout", "nan"],
        ["jobs", "--limit", "0"],
        ["jobs", "--stat", "failed"],
        ["tables", "a", "--output", "a.csv"],
        ["tables", "a", "silver", "--output", "a.txt"],
        ["login", "--password-stdin"],
        ["login"],
    ],
)
def test_bad_usage_exits_with_2_and_calls_nobody(words: list[str], tmp_path: Path) -> None:
    with scripted_service() as service:
        shell = shell_of(service, tmp_path)
        done = shell.run(*words, "--json")
        assert (done.returncode, done.stdout, service.calls) == (2, "", [])
        assert set(json.loads(done.stderr)) == {"error", "message"}
        assert shell.run(*words).returncode == 2


@pytest.mark.parametrize("url", ["localhost:5000", "ftp://a", "http://", "http://a:x", "http://me:pw@a"])
def test_an_address_that_is_none_is_told(url: str, tmp_path: Path) -> None:
    done = CommandLineUser(tmp_path, url).run("jobs", "--json")
    assert (done.returncode, json.loads(done.stderr)["error"]) == (1, "invalid_url")


def test_a_log_in_is_found_by_its_address_however_it_is_spelled(tmp_path: Path) -> None:
    with scripted_service() as service:
        service.answer(200, {"refresh_token": "r", "user_id": "u"})
        shell = CommandLineUser(tmp_path, service.url)
        shell.log_in("ada", "correct horse battery")
        service.answer(200, {"access_token": "a"})
        service.answer(200, {"jobs": [], "nextCursor": None})
        done = shell.run("jobs", "--url", f"{service.url.replace('http', 'HTTP')}/")
        assert (done.returncode, done.stderr) == (0, "")
        assert [call.headers.get("Authorization") for call in service.calls] == [None, "Bearer r", "Bearer a"]


def test_log_ins_are_kept_one_by_one_and_read_by_their_owner_alone(tmp_path: Path) -> None:
    logins = SavedLogins.of_environment({"XDG_CONFIG_HOME": str(tmp_path)})
    logins.save("http://a", SavedLogin("ada", "r1"))
    logins.save("https://b/api", SavedLogin("bob", "r2"))
    logins.save("http://a", SavedLogin("ada", "r3"))
    assert (logins.find("http://a"), logins.find("http://c")) == (SavedLogin("ada", "r3"), None)
    assert len(list(logins.path("http://a").parent.iterdir())) == 2
    assert stat.S_IMODE(logins.path("http://a").stat().st_mode) == 0o600
    assert (logins.remove("http://a"), logins.remove("http://a")) == (True, False)
    assert logins.find("https://b/api") == SavedLogin("bob", "r2")


def test_a_log_in_that_is_spoilt_is_told(tmp_path: Path) -> None:
    logins = SavedLogins(tmp_path)
    logins.path("http://a").write_text('{"user": 1}')
    with pytest.raises(ServiceError, match="can't be read: log in again"):
        logins.find("http://a")


def test_a_relative_configuration_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    logins = SavedLogins.of_environment({"XDG_CONFIG_HOME": "here"})
    assert logins.path("http://a").is_relative_to(tmp_path / ".config")


def test_a_download_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    with scripted_service() as service:
        service.answer(200, b"a,b\n1,", Content_Length="100")
        done = shell_of(service, tmp_path).run("tables", "a", "silver", "--output", "silver.csv")
    assert (done.returncode, list(tmp_path.iterdir())) == (1, [])
    assert done.stderr.startswith(f"tables: the connection to {service.url} broke: ")
