"""The real az command line against the stand-ins, with the commands that the documentation gives."""

import base64
import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from azure.storage.filedatalake import DataLakeServiceClient
from azure.storage.queue import QueueClient

from backend.adapters.data_lake import DataLakeContainer
from tests.local_storage import LocalStorage

_AZ_SECONDS = 110
_INSTALLED = Path(__file__).resolve().parents[2] / ".tools" / "az" / "bin" / "az"


@pytest.fixture(scope="session")
def az_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where az keeps its state: not where a person's own az keeps it."""
    return tmp_path_factory.mktemp("az")


@pytest.fixture
def az(local_storage: LocalStorage, az_config: Path) -> "Az":
    program = Path(os.environ.get("ORCHESTRATOR_AZ", _INSTALLED))
    if not program.exists():
        pytest.fail(f"there is no {program}; scripts/test installs az, or name one with ORCHESTRATOR_AZ")
    return Az(program, az_config, local_storage.connection_string)


class Az:
    """Runs az on the local storage account."""

    def __init__(self, program: Path, config: Path, connection_string: str) -> None:
        self._program = program
        self._connection_string = connection_string
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
        self._environment = kept | {"AZURE_CONFIG_DIR": str(config), "AZURE_CORE_COLLECT_TELEMETRY": "no"}

    def __call__(self, *words: str) -> Any:
        """What a command answers."""
        done = subprocess.run(
            [self._program, *words, "--connection-string", self._connection_string, "--output", "json"],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_AZ_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def container(local_storage: LocalStorage) -> str:
    """A container of the test's own with one file in it."""
    name = f"lake-{uuid.uuid4().hex}"
    with DataLakeServiceClient.from_connection_string(local_storage.connection_string) as service:
        service.create_file_system(name)
        DataLakeContainer(service, name).write("gold/a b/_manifest.json", b"{}")
    return name


def test_az_lists_the_files_of_the_lake(az: Az, container: str) -> None:
    listed = az("storage", "fs", "file", "list", "--file-system", container)

    assert [(path["name"], path["isDirectory"], path["contentLength"]) for path in listed] == [
        ("gold", True, 0),
        ("gold/a b", True, 0),
        ("gold/a b/_manifest.json", False, 2),
    ]


def test_az_lists_the_files_of_one_folder(az: Az, container: str) -> None:
    listed = az(
        "storage", "fs", "file", "list", "--file-system", container, "--path", "gold", "--recursive", "false"
    )

    assert [path["name"] for path in listed] == ["gold/a b"]


def test_az_lists_the_blobs(az: Az, container: str) -> None:
    listed = az("storage", "blob", "list", "--container-name", container)

    # As on Azure with a hierarchical namespace, directories show as blobs.
    assert [blob["name"] for blob in listed] == ["gold", "gold/a b", "gold/a b/_manifest.json"]


def test_az_peeks_at_messages(az: Az, local_storage: LocalStorage) -> None:
    name = f"queue-{uuid.uuid4().hex}"
    body = base64.b64encode(b'{"jobId": "1"}').decode()
    with QueueClient.from_connection_string(local_storage.connection_string, name) as queue:
        queue.create_queue()
        queue.send_message(body)

    peeked = az("storage", "message", "peek", "--queue-name", name)

    assert [message["content"] for message in peeked] == [body]
