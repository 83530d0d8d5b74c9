"""`python -m backend` against the running stack."""

import gzip
import json
import re
import shlex
import stat
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from azure.storage.filedatalake import DataLakeServiceClient

from backend.command_line import main
from tests.command_line_user import SECONDS, CommandLineUser
from tests.documented_commands import ROOT
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack, plain

SAMPLE = ROOT / "tests" / "data" / "bronze_sample.json"
JOB_ID = re.compile("[0-9a-f]{32}")
COMMANDS = (
    *("login", "logout", "submit", "status", "jobs", "tables"),
    *("quality", "retry", "clean", "sql", "serve", "migrate"),
)
# It would serve for ever, and tests of its own start it.
NOT_RUN = ("serve",)


@pytest.fixture
def shell(stack: RunningStack, user: ApiUser, tmp_path: Path) -> CommandLineUser:
    """A user who is logged in."""
    shell = CommandLineUser(tmp_path, stack.url)
    shell.log_in(user.username, user.password)
    return shell


def cleaned_job(shell: CommandLineUser) -> str:
    done = shell.run("submit", SAMPLE, "--watch")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def failed_job(stack: RunningStack, user: ApiUser) -> str:
    dataset = user.upload([{"order": {"id": "o-1"}, "user": {"id": "u-1"}}])
    with DataLakeServiceClient.from_connection_string(stack.addresses.connection_string) as service:
        # The API lets nobody store such a part; whoever writes to Bronze past it can.
        part = service.get_file_client("shanlee-raw-data", f"{user.user_id}/{dataset}/zz-broken.json")
        part.upload_data(b"[oops]", overwrite=True)
    job_id = str(user.clean(parentJobId=dataset)["jobId"])
    assert user.wait_for_end(job_id)["status"] == "failed"
    return job_id


def test_an_account_is_made_and_its_token_kept_for_its_owner_alone(
    stack: RunningStack, tmp_path: Path
) -> None:
    shell = CommandLineUser(tmp_path, stack.url)
    name = f"shell-{tmp_path.name[-20:].replace('_', '-')}"
    words = ("login", "--username", name, "--register", "--password-stdin", "--json")
    done = shell.run(*words, stdin=b"correct horse battery\n")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert (answer["url"], answer["username"]) == (stack.url, name)
    file = Path(answer["file"])
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    assert file.is_relative_to(tmp_path / "config")
    assert "correct horse" not in file.read_text()
    assert json.loads(shell.run("jobs", "--json").stdout)["jobs"] == []

    assert json.loads(shell.run("logout", "--json").stdout) == {"url": stack.url, "removed": True}
    assert list(file.parent.iterdir()) == []
    refused = shell.run("jobs", "--json")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert json.loads(refused.stderr)["error"] == "not_logged_in"


def test_a_password_is_asked_for_and_not_shown(stack: RunningStack, user: ApiUser, tmp_path: Path) -> None:
    shell = CommandLineUser(tmp_path, stack.url)
    status, shown = shell.at_a_terminal("login", answers=[user.username, user.password])
    assert (status, user.password in shown) == (0, False)
    assert f"Logged in at {stack.url} as {user.username}, for 7 days." in shown
    assert shell.run("jobs").returncode == 0


def test_a_wrong_password_is_told_in_the_services_words(
    stack: RunningStack, user: ApiUser, tmp_path: Path
) -> None:
    shell = CommandLineUser(tmp_path, stack.url)
    done = shell.run("login", "--username", user.username, "--password-stdin", stdin=b"wrong")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "login: The username or the password is wrong.\n"
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_program_calls_with_a_token_of_either_kind(
    stack: RunningStack, user: ApiUser, tmp_path: Path, kind: str
) -> None:
    shell = CommandLineUser(tmp_path, stack.url, ORCHESTRATOR_TOKEN=getattr(user, kind))
    assert shell.run("jobs", "--json").returncode == 0


def test_a_file_becomes_a_job_whose_id_is_all_of_stdout(shell: CommandLineUser) -> None:
    done = shell.run("submit", SAMPLE, "--watch")
    assert done.returncode == 0
    assert JOB_ID.fullmatch(done.stdout.removesuffix("\n"))
    first, *_, before, last = done.stderr.splitlines()
    assert first == f"{SAMPLE}: small_batch, as 60 records are at most 10,000; expected in < 5 minutes"
    assert before == "completed 100%"
    assert last == ("bronze_sample.json: completed, records 60 = 60 in Silver + 0 duplicates + 0 quarantined")


def test_each_file_is_a_job_and_a_bad_one_keeps_no_other_back(shell: CommandLineUser) -> None:
    (shell.folder / "a.csv").write_text("order.id,user.id\no1,u1,x\n")
    (shell.folder / "b.json.gz").write_bytes(gzip.compress(SAMPLE.read_bytes()))
    (shell.folder / "c.csv").write_text("order.id,user.id\no1,u1\n")
    done = shell.run("submit", "a.csv", "b.json.gz", "none.csv", "c.csv", "--json")
    assert done.returncode == 1
    jobs = json.loads(done.stdout)["jobs"]
    assert [(job["file"], job["recordCount"], job["reason"]) for job in jobs] == [
        ("b.json.gz", 60, "60 records are at most 10,000"),
        ("c.csv", 1, "1 record is at most 10,000"),
    ]
    assert [json.loads(line) for line in done.stderr.splitlines()] == [
        {"error": "unreadable_input", "message": "a.csv: Line 2: 3 cells where the header has 2."},
        {"error": "file_error", "message": "none.csv: No such file or directory"},
    ]


def test_records_come_through_a_pipe(shell: CommandLineUser) -> None:
    done = shell.run("submit", "-", "--name", "Piped", "--json", stdin=SAMPLE.read_bytes())
    assert done.returncode == 0
    [job] = json.loads(done.stdout)["jobs"]
    assert (job["file"], job["jobName"], job["recordCount"]) == ("-", "Piped", 60)


def test_sample_data_is_the_same_for_the_same_seed_and_a_dataset_is_cleaned_again(
    shell: CommandLineUser,
) -> None:
    words = ("submit", "--sample", "200", "--error-rate", "0.5", "--seed", "7", "--watch", "--json")
    answers = [json.loads(shell.run(*words).stdout)["jobs"][0] for _ in range(2)]
    assert answers[0]["job"]["qualityScore"] == answers[1]["job"]["qualityScore"] < 100
    again = shell.run("submit", "--dataset", answers[0]["parentJobId"], "--watch", "--json")
    [entry] = json.loads(again.stdout)["jobs"]
    assert entry["job"]["counts"] == answers[0]["job"]["counts"]


def test_a_bar_moves_on_a_terminal(shell: CommandLineUser) -> None:
    status, shown = shell.at_a_terminal("submit", SAMPLE, "--watch")
    assert status == 0
    assert re.search(r"uploading \N{BOX DRAWINGS HEAVY HORIZONTAL}+", plain(shown))
    assert re.search(r"completed +\N{BOX DRAWINGS HEAVY HORIZONTAL}+ 100%", plain(shown))


def test_the_end_of_a_job_is_the_exit_status(
    shell: CommandLineUser, stack: RunningStack, user: ApiUser
) -> None:
    failed = failed_job(stack, user)
    done = shell.run("status", failed, "--watch", "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (3, "failed")
    assert json.loads(done.stderr)["error"] == "job_failed"
    told = shell.run("status", failed)
    assert told.returncode == 3
    assert told.stderr.startswith(f"status: job {failed} has failed: ")
    again = shell.run("retry", failed, "--watch")
    assert again.returncode == 3

    slow = shell.run("submit", "--sample", "1000", "--watch", "--timeout", "0", "--json")
    assert slow.returncode == 4
    [entry] = json.loads(slow.stdout)["jobs"]
    message = f"the time is over, and job {entry['jobId']} goes on"
    assert json.loads(slow.stderr) == {"error": "timeout", "message": message}
    assert shell.run("status", entry["jobId"], "--watch").returncode == 0


def test_a_job_that_is_not_there_is_told_in_one_line(shell: CommandLineUser) -> None:
    for words in (("status", "a" * 32), ("tables", "../jobs"), ("quality", "a" * 32), ("retry", "?")):
        done = shell.run(*words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert done.stderr.startswith(f"{words[0]}: There is no")


def test_tables_are_listed_shown_and_downloaded(shell: CommandLineUser) -> None:
    job = cleaned_job(shell)
    listed = dict(line.split("\t")[:2] for line in shell.run("tables", job).stdout.splitlines())
    assert (listed["silver"], listed["quarantine"], listed["dim_time"]) == ("60", "0", "1")
    rows = shell.run("tables", job, "dim_time", "--limit", "5").stdout.splitlines()
    assert len(rows) == 1
    document = json.loads(shell.run("tables", job, "silver", "--limit", "2", "--json").stdout)
    assert (document["rowCount"], len(document["rows"])) == (60, 2)

    done = shell.run("tables", job, "silver", "--output", "silver.parquet", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    file = shell.folder / "silver.parquet"
    assert pq.read_metadata(file).num_rows == 60
    assert json.loads(done.stdout) == {
        "table": "silver",
        "file": "silver.parquet",
        "bytes": file.stat().st_size,
    }
    file.write_bytes(b"mine")
    refused = shell.run("tables", job, "silver", "--output", "silver.parquet")
    assert (refused.returncode, file.read_bytes()) == (1, b"mine")
    assert refused.stderr == "tables: silver.parquet is there already: --force writes over it\n"
    assert shell.run("tables", job, "silver", "--output", "silver.parquet", "--force").returncode == 0
    assert pq.read_metadata(file).num_rows == 60

    gone = shell.run("tables", job, "gold", "--output", "gold.csv")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert sorted(path.name for path in shell.folder.iterdir()) == ["config", "silver.parquet"]


def test_a_row_that_is_too_wide_for_the_terminal_is_shown_field_by_field(shell: CommandLineUser) -> None:
    job = cleaned_job(shell)
    status, shown = shell.at_a_terminal("tables", job, "silver", "--limit", "1")
    assert status == 0
    assert re.search(r"^order_id +order_details_id-\S+\r$", plain(shown), re.MULTILINE)
    assert "─" not in shown


def test_jobs_are_lines_of_fields_in_a_pipe_and_a_table_on_a_terminal(shell: CommandLineUser) -> None:
    ids = [shell.run("submit", SAMPLE).stdout.strip() for _ in range(3)]
    lines = [line.split("\t") for line in shell.run("jobs", "--limit", "2").stdout.splitlines()]
    assert ([fields[0] for fields in lines], len(lines[0])) == ([ids[2], ids[1]], 7)
    document = json.loads(shell.run("jobs", "--all", "--json").stdout)
    assert ([job["jobId"] for job in document["jobs"]][:3], document["nextCursor"]) == (ids[::-1], None)
    status, shown = shell.at_a_terminal("jobs", "--limit", "1", columns=80)
    assert (status, ids[2] in shown, "submitted" in shown) == (0, True, True)


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    return capsys.readouterr().out


def examples_of(help_text: str) -> list[str]:
    block = help_text.partition("\nexamples:\n")[2].partition("\n\n")[0]
    return [line.strip() for line in block.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_exit_statuses(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(command, capsys)
    examples = examples_of(text)
    assert 2 <= len(examples) <= 4
    assert all(example.startswith(f"python -m backend {command}") for example in examples)
    assert "\n  3    the job has failed\n" in text
    assert command == "serve" or "--json" in text


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in NOT_RUN])
def test_every_example_of_help_runs(
    command: str,
    shell: CommandLineUser,
    stack: RunningStack,
    user: ApiUser,
    capsys: pytest.CaptureFixture[str],
) -> None:
    examples = examples_of(help_of(command, capsys))
    lay_out_files(shell.folder, user)
    job = cleaned_job(shell) if "JOB" in examples[0] else ""
    for example in examples:
        if command == "retry":
            job = failed_job(stack, user)
        status, shown = run_example(example, job, shell, stack, user)
        # The job that can be retried has failed for good.
        assert status == (3 if example.endswith("retry JOB --watch") else 0), (example, shown)


def lay_out_files(folder: Path, user: ApiUser) -> None:
    """What the examples take for granted."""
    (folder / "password.txt").write_text(f"{user.password}\n")
    (folder / "orders.csv").write_text("order.id,user.id\no1,u1\n")
    for name in ("orders.json", "one.json", "two.json"):
        (folder / name).write_bytes(SAMPLE.read_bytes())
    (folder / "monday.jsonl.gz").write_bytes(gzip.compress(b'{"order": {"id": "o1"}}\n'))
    record = {"order": {"id": "o1"}, "user": {"id": "u1"}}
    pq.write_table(pa.Table.from_pylist([record]), folder / "tuesday.parquet")


def run_example(
    example: str, job: str, shell: CommandLineUser, stack: RunningStack, user: ApiUser
) -> tuple[int, str]:
    words = shlex.split(example.removeprefix("python -m backend "))
    if words[0] == "login" and "--password-stdin" not in words:
        name = f"example-of-{user.username}" if "--register" in words else user.username
        answers = [] if "--username" in words else [name]
        answers += [user.password] * (2 if "--register" in words else 1)
        return shell.at_a_terminal(*(name if word == "ada" else word for word in words), answers=answers)
    here = example.replace("JOB", job).replace(" ada ", f" {user.username} ")
    here = here.replace(
        "backend sql ", f"backend sql --file {shlex.quote(str(stack.state))}/warehouse.duckdb "
    )
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", here],  # noqa: S607 - whichever bash a reader has
        cwd=shell.folder,
        env={**shell.environment, "DATABASE_URL": f"sqlite:///{shell.folder}/new.sqlite"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if "--json" in words:
        assert len(done.stdout.splitlines()) == 1
        json.loads(done.stdout)
    return done.returncode, done.stdout + done.stderr
