"""The function app in Microsoft's own Python worker, which runs it on Azure."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
APP_FOLDER = ROOT / "backend" / "myfunc"
SESSION = Path(__file__).with_name("functions_worker_session.py")


def worker_folder() -> Path:
    folder = Path(os.environ.get("ORCHESTRATOR_FUNCTIONS_WORKER", ROOT / ".tools" / "functions-worker"))
    assert (folder / "azure_functions_runtime").is_dir(), (
        f"Microsoft's Functions worker is not in {folder}: run scripts/test, "
        "or install requirements-functions-worker.txt as that file says"
    )
    return folder


def call(function_name: str, body: str, *, dequeue_count: int = 1, **environment: str) -> dict[str, Any]:
    """What the worker answered to its host, from its start to one call of a function."""
    path = os.pathsep.join(map(str, (worker_folder(), ROOT, APP_FOLDER)))
    completed = subprocess.run(
        [sys.executable, SESSION, APP_FOLDER, function_name, str(dequeue_count)],
        input=body,
        env={**os.environ, **environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    answer: dict[str, Any] = json.loads(completed.stdout.splitlines()[-1])
    return answer


def test_the_worker_finds_every_function_with_its_trigger() -> None:
    answer = call("transform_small_batch_queue", "{}")

    assert answer["init"] == {"status": "success", "error": None}
    assert answer["load"] == {"status": "success", "error": None}
    triggers = {name: bindings[0] for name, bindings in answer["functions"].items()}
    assert {name: trigger["type"] for name, trigger in triggers.items()} == {
        "transform_small_batch_queue": "queueTrigger",
        "generate_sample_data_part": "queueTrigger",
        "warmup": "warmupTrigger",
    }
    small_batch = triggers["transform_small_batch_queue"]
    assert small_batch["queueName"] == "%SMALL_BATCH_QUEUE%"
    assert small_batch["connection"] == "AZURE_STORAGE_CONNECTION_STRING"
    assert triggers["generate_sample_data_part"]["queueName"] == "%DATA_GENERATION_QUEUE%"


@pytest.mark.parametrize(
    ("function_name", "error"),
    [
        ("transform_small_batch_queue", "InvalidMessage: not a CleaningMessage"),
        ("generate_sample_data_part", "InvalidMessage: not a GenerationMessage"),
    ],
)
def test_a_message_that_is_not_its_queues_own_is_a_failed_invocation(function_name: str, error: str) -> None:
    answer = call(function_name, "not JSON")

    assert answer["invocation"]["status"] == "failure"
    assert answer["invocation"]["error"].startswith(error)


def test_the_app_leaves_the_heavy_libraries_for_the_warm_up() -> None:
    program = "import backend.myfunc.function_app, json, sys; print(json.dumps(sorted(sys.modules)))"

    completed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    heavy = {
        "pandas",
        "pyarrow",
        "numpy",
        "sqlalchemy",
        "flask",
        "azure.storage.filedatalake",
        "azure.identity",
    }
    assert heavy & set(json.loads(completed.stdout)) == set()
