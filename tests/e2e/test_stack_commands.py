import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest
import requests

from backend.local.addresses import free_addresses
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import START_SECONDS, RunningStack, plain, stack_command
from tests.waiting import wait_until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    with RunningStack(tmp_path / "state") as stack:
        stack.wait_ready()
        assert len(stack.processes()) >= 5
        assert stack.stop(number) == 0
        stack.addresses.require_free()


def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    with RunningStack(tmp_path / "state") as stack:
        stack.wait_ready()
        assert stack.stop(signal.SIGKILL) == -9


def test_a_stack_can_be_stopped_while_it_starts(tmp_path: Path) -> None:
    with RunningStack(tmp_path / "state") as stack:
        wait_until((tmp_path / "state" / "logs" / "azurite.log").exists, START_SECONDS)
        assert stack.stop() == 0


def test_two_stacks_run_side_by_side_and_share_nothing(stack: RunningStack, tmp_path: Path) -> None:
    with RunningStack(tmp_path / "state") as other:
        other.wait_ready()
        user = ApiUser(other.url)
        job = user.wait_for_end(user.clean(dataCount=100)["jobId"])
        assert job["status"] == "completed"
        token = user.call("GET", "/jobs").request.headers["Authorization"]
        answer = requests.get(f"{stack.url}/jobs", headers={"Authorization": token}, timeout=10)
        assert answer.status_code == 401
        user.close()


def test_accounts_jobs_and_outputs_survive_a_restart(tmp_path: Path) -> None:
    with RunningStack(tmp_path / "state") as stack:
        user = ApiUser(stack.wait_ready().url)
        job = user.wait_for_end(user.clean(dataCount=100)["jobId"])
        rows = user.call("GET", f"/jobs/{job['jobId']}/tables/silver").json()
    with RunningStack(tmp_path / "state", addresses=stack.addresses) as again:
        again.wait_ready()
        assert user.job(job["jobId"]) == job
        assert user.call("GET", f"/jobs/{job['jobId']}/tables/silver").json() == rows
    user.close()


def test_a_part_that_is_killed_is_started_again(tmp_path: Path) -> None:
    with RunningStack(tmp_path / "state") as stack:
        user = ApiUser(stack.wait_ready().url)
        [gateway] = [
            process for process in stack.processes() if "backend.local.datalake_gateway" in process.cmdline()
        ]
        gateway.kill()
        wait_until(lambda: "it is started again" in stack.output)
        job = user.wait_for_end(user.clean(dataCount=100)["jobId"])
        assert job["status"] == "completed"
        user.close()


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    addresses = free_addresses()
    with socket.create_server(("127.0.0.1", addresses.table)):
        refused = run("--port", str(addresses.api), "--state", str(tmp_path / "state"))
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == (
        f"start: port {addresses.table}, needed for table storage, is in use;"
        " stop what uses it or choose with --port\n"
    )


def test_a_state_directory_in_use_is_one_clear_line(stack: RunningStack) -> None:
    refused = run("--port", str(free_addresses().api), "--state", str(stack.state))
    assert refused.returncode == 1
    assert refused.stderr == (
        f"start: another stack (process {stack.process.pid}) uses {stack.state};"
        " stop it or choose with --state\n"
    )


@pytest.mark.parametrize("options", [["--once"], ["--port", "0"], ["--port", "65531"], ["--port", "x"]])
def test_bad_usage_is_status_2(options: list[str]) -> None:
    assert run(*options).returncode == 2


def test_the_connection_string_is_kept_for_the_owner_alone(stack: RunningStack) -> None:
    path = stack.state / "connection_string"
    assert path.read_text() == stack.addresses.connection_string + "\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f'export AZURE_STORAGE_CONNECTION_STRING="$(cat {path})"' in stack.output


def test_the_demo_shows_gold_and_stops_with_status_0(tmp_path: Path) -> None:
    with RunningStack(tmp_path / "state", "--demo", "--once") as stack:
        stack.process.wait(START_SECONDS)
    shown = plain(stack.output)
    assert stack.process.returncode == 0, shown
    assert "5,000 records in =" in shown
    for table in ("silver", "fact_orders", "agg_product_metrics"):
        assert f"{table:<20}" in shown
    assert "\r" not in shown
    stack.addresses.require_free()


def test_the_demo_that_cannot_work_stops_with_status_1(tmp_path: Path) -> None:
    with RunningStack(tmp_path / "state", "--demo", "--once", MAX_RECORD_COUNT="100") as stack:
        stack.process.wait(START_SECONDS)
    assert stack.process.returncode == 1
    assert "demo: dataCount has to be at most 100." in stack.output


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(stack_command(*options), capture_output=True, text=True, timeout=30, check=False)
