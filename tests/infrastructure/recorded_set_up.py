"""Runs the set-up script with programs in front of its PATH that record what it would have done to Azure."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
AZ_PYTHON = ROOT / ".tools" / "az" / "bin" / "python"
OPTIONS = ("--prefix", "shanlee", "--location", "westeurope", "--alert-email", "team@example.org")

_AZ_PACKAGES = next((AZ_PYTHON.parent.parent / "lib").glob("python3*/site-packages"), None)
_RECORDERS = Path(__file__).resolve().parent / "recorders"
_READING = {"show", "list", "exists"}
_SECONDS = 100


class RecordedSetUp:
    """A copy of the script and what it reads, on an Azure of its own that is empty at first."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "checkout"
        self._programs = folder / "programs"
        self._state = folder / "state"
        self._state.mkdir()
        for part in ("scripts", "infrastructure"):
            shutil.copytree(ROOT / part, self._root / part)
        self._stand_in(self._programs / "az", _RECORDERS / "azure_cli.py")
        for program in ("databricks", "mysql"):
            self._stand_in(self._programs / program, _RECORDERS / "other_programs.py", program)
        python = self._root / ".venv" / "bin" / "python"
        self._stand_in(python, _RECORDERS / "other_programs.py", "python")

    def run(self, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the script with what it has to be given, and `options`."""
        return self.run_with(*OPTIONS, *options, **variables)

    def run_with(self, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self._programs}:{os.environ['PATH']}",
            "RECORDER_STATE": str(self._state),
            "RETRY_SECONDS": "0",
        }
        return subprocess.run(
            [self._root / "scripts" / "setup_v1_infrastructure.sh", *options],
            env=environment | {"TMPDIR": str(self._state.parent)} | variables,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def deploy_functions(self) -> None:
        """What the package's deployment does, as far as the script asks after it."""
        inventory = self.inventory()
        app = next(name for name in inventory["resources"] if name.endswith("/sites/shanlee-functions"))
        inventory["resources"][f"{app}/functions/load_gold"] = {}
        self.begin_with(inventory)

    def begin_with(self, inventory: dict[str, Any]) -> None:
        """An Azure where something stands already."""
        (self._state / "inventory.json").write_text(json.dumps(inventory))

    def change_template(self) -> None:
        """Another version of the factory."""
        template = self._root / "infrastructure" / "v1_adf_template.json"
        template.write_text(template.read_text() + "\n")

    def inventory(self) -> dict[str, Any]:
        """What stands on this Azure."""
        path = self._state / "inventory.json"
        inventory: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return inventory

    def take_calls(self) -> list[dict[str, Any]]:
        """The calls of az since the last time, each with its words and the files that it was given."""
        return self._take("az.jsonl")

    def take_other_calls(self) -> list[dict[str, Any]]:
        """The calls of the other programs since the last time."""
        return self._take("others.jsonl")

    def _take(self, name: str) -> list[dict[str, Any]]:
        path = self._state / name
        calls = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        path.unlink(missing_ok=True)
        return calls

    def _stand_in(self, program: Path, *command: object) -> None:
        program.parent.mkdir(parents=True, exist_ok=True)
        # -S: without the search for packages, a call takes a third of the time, and there are hundreds.
        start = f"PYTHONPATH={_AZ_PACKAGES} exec {AZ_PYTHON} -S"
        program.write_text(f'#!/bin/sh\n{start} {" ".join(map(str, command))} "$@"\n')
        program.chmod(0o755)


def command_of(words: list[str]) -> str:
    """`storage account create`, say."""
    named = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    return " ".join(words[:named])


def is_writing(words: list[str]) -> bool:
    """Whether a command changes anything; what is not known to read counts as one."""
    return command_of(words).split()[-1] not in _READING


def option(words: list[str], name: str) -> str:
    """What a command was given for an option."""
    return words[words.index(name) + 1]


def complaints(commands: list[list[str]], config: Path) -> list[str | None]:
    """What the real az says against each command when it parses it."""
    answers: list[str | None] = _asked(_RECORDERS / "az_parser.py", commands, config)
    return answers


def unknown_fields(resources: list[tuple[str, Any]], config: Path) -> list[list[str] | None]:
    """The fields of each resource, given with its type, that its model in Azure's libraries lacks, if any."""
    answers: list[list[str] | None] = _asked(_RECORDERS / "resource_models.py", resources, config)
    return answers


def _asked(program: Path, question: object, config: Path) -> Any:
    answered = subprocess.run(
        [AZ_PYTHON, program],
        input=json.dumps(question),
        env=os.environ | {"AZURE_CONFIG_DIR": str(config), "AZURE_CORE_COLLECT_TELEMETRY": "no"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert answered.returncode == 0, answered.stderr
    return json.loads(answered.stdout)
