import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend.local.addresses import Addresses, free_addresses
from backend.local.stack_errors import StackFailed
from backend.local.state_directory import StateDirectory


def test_a_second_stack_on_one_state_directory_is_refused(tmp_path: Path) -> None:
    with (
        StateDirectory(tmp_path).locked(),
        pytest.raises(StackFailed) as failure,
        StateDirectory(tmp_path).locked(),
    ):
        raise AssertionError("locked twice")
    assert str(failure.value) == (
        f"another stack (process {os.getpid()}) uses {tmp_path}; stop it or choose with --state"
    )


def test_a_state_directory_is_free_again_when_its_stack_was_killed(tmp_path: Path) -> None:
    code = """
import os, pathlib, signal, sys
from backend.local.state_directory import StateDirectory
with StateDirectory(pathlib.Path(sys.argv[1])).locked():
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    with StateDirectory(tmp_path).locked():
        assert killed.returncode == -9


def test_state_is_private_to_its_owner(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    with state.locked():
        state.jwt_secret_key()
    assert stat.S_IMODE(state.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((state.folder / "jwt_secret_key").stat().st_mode) == 0o600


def test_the_secret_that_signs_tokens_is_random_and_survives_a_restart(tmp_path: Path) -> None:
    one, other = StateDirectory(tmp_path / "one"), StateDirectory(tmp_path / "other")
    with one.locked(), other.locked():
        secret = one.jwt_secret_key()
        assert len(secret) >= 64
        assert secret != other.jwt_secret_key()
        assert StateDirectory(one.folder).jwt_secret_key() == secret


def test_state_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackFailed) as failure, StateDirectory(tmp_path / "file" / "state").locked():
        raise AssertionError("locked")
    assert str(failure.value) == f"the state can't be kept in {tmp_path}/file/state: Not a directory"


def test_a_folder_with_something_else_in_it_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "letter").touch()
    with pytest.raises(StackFailed) as failure, StateDirectory(tmp_path).locked():
        raise AssertionError("locked")
    assert str(failure.value) == (
        f"{tmp_path} holds something other than a stack's state; choose another with --state"
    )
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", fail)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    with pytest.raises(StackFailed) as failure, StateDirectory(tmp_path).locked():
        raise AssertionError("locked")
    assert str(failure.value) == (
        f"the disk of {tmp_path} is nearly full: 1 MB are free, and the stack needs 200 MB"
    )


def test_the_stand_ins_take_the_ports_after_the_api() -> None:
    addresses = Addresses(5000)
    assert list(addresses.users()) == [5000, 5001, 5002, 5003, 5004, 5005, 5006]
    assert addresses.connection_string.endswith(
        ";BlobEndpoint=http://127.0.0.1:5001/devstoreaccount1"
        ";QueueEndpoint=http://127.0.0.1:5002/devstoreaccount1"
        ";TableEndpoint=http://127.0.0.1:5003/devstoreaccount1"
    )


@pytest.mark.parametrize("interface", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - what others may listen on
def test_a_port_in_use_is_named_with_what_it_is_needed_for(interface: str) -> None:
    addresses = free_addresses()
    with socket.create_server((interface, addresses.queue)), pytest.raises(StackFailed) as failure:
        addresses.require_free()
    assert str(failure.value) == (
        f"port {addresses.queue}, needed for queue storage, is in use;"
        " stop what uses it or choose with --port"
    )
