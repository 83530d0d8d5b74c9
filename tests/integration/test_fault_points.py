import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backend.adapters.data_lake import DataLakeContainer
from backend.adapters.fault_points import FaultPoints
from backend.adapters.job_progress_table import JobProgressTable
from backend.adapters.storage_queue import StorageQueues
from backend.bootstrap import Services, build_services
from backend.domain.errors import InvalidSettings
from backend.settings import Settings
from tests.fakes import InMemoryFileSystem, InMemoryQueues
from tests.local_storage import LocalStorage

JOB_FILE = f"silver/cleaned/{'a' * 32}/{'b' * 32}/{'c' * 32}.parquet"
SURVIVED = 3
REACH = (
    "import pathlib, sys\n"
    "from backend.adapters.fault_points import FaultPoints\n"
    "FaultPoints(pathlib.Path(sys.argv[1])).reach(sys.argv[2])\n"
    f"sys.exit({SURVIVED})"
)


def process_that_comes_to(folder: Path, point: str) -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen([sys.executable, "-c", REACH, str(folder), point], cwd=root)


def services(storage: LocalStorage, **settings: str) -> Services:
    environment = {"AZURE_STORAGE_CONNECTION_STRING": storage.connection_string, **settings}
    return build_services(Settings.from_environment(environment))


def test_without_the_setting_no_adapter_is_wrapped(local_storage: LocalStorage) -> None:
    unset = services(local_storage, ORCHESTRATOR_MODE="local")

    assert type(unset.bronze) is DataLakeContainer
    assert type(unset.lake) is DataLakeContainer
    assert type(unset.jobs) is JobProgressTable
    assert type(unset.queues) is StorageQueues


def test_outside_one_machine_the_setting_is_refused(local_storage: LocalStorage, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="FAULT_POINTS is for tests of a stack on one machine"):
        services(local_storage, FAULT_POINTS=str(tmp_path))


def test_one_process_alone_gets_the_signal_however_many_come_to_the_point(tmp_path: Path) -> None:
    (tmp_path / "armed").write_text("SIGKILL after load into operational")
    processes = [process_that_comes_to(tmp_path, "after load into operational") for _ in range(3)]

    ended = {process.pid: process.wait(30) for process in processes}

    assert sorted(ended.values()) == [-signal.SIGKILL, SURVIVED, SURVIVED]
    [killed] = [pid for pid, status in ended.items() if status == -signal.SIGKILL]
    assert [file.name for file in tmp_path.iterdir()] == [f"fired-{killed}"]


def test_a_process_that_comes_to_another_point_goes_on(tmp_path: Path) -> None:
    (tmp_path / "armed").write_text("SIGKILL before load into operational")

    assert process_that_comes_to(tmp_path, "after load into operational").wait(30) == SURVIVED
    assert (tmp_path / "armed").exists()


def test_a_point_names_what_is_written_and_not_whose_it_is(tmp_path: Path) -> None:
    files, reached = InMemoryFileSystem(), tmp_path / "reached"
    reached.touch()

    FaultPoints(tmp_path).around_files(files).write(JOB_FILE, b"content")

    assert files.files == {JOB_FILE: b"content"}
    assert reached.read_text().splitlines() == [
        "before write silver/cleaned",
        "during write silver/cleaned",
        "after write silver/cleaned",
    ]


def test_messages_are_sent_three_times_while_they_are_to_be(tmp_path: Path) -> None:
    queues = InMemoryQueues()
    watched = FaultPoints(tmp_path).around_queues(queues)

    watched.send("once", b"1")
    (tmp_path / "tripled").touch()
    watched.send("thrice", b"2")

    assert queues.bodies == {"once": [b"1"], "thrice": [b"2", b"2", b"2"]}
