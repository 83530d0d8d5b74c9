"""Stands in for `databricks`, `mysql` and the product's Python: writes down what each was given."""

import json
import os
import sys
from pathlib import Path

STATE = Path(os.environ["RECORDER_STATE"])
HEARD = ("DATABASE_URL", "AZURE_STORAGE_ACCOUNT", "ARM_CLIENT_SECRET", "DATABRICKS_AUTH_TYPE")
ANSWERS = {
    "service-principals list": "[]",
    "secrets list-scopes": "[]",
    "bundle summary": '{"resources": {"jobs": {"clean_dataset": {"id": "4711"}}}}',
}


def main(program, words):
    """Write the call down and answer."""
    reads = program == "mysql" or words[:2] == ["secrets", "put-secret"]
    call = {
        "program": program,
        "words": words,
        "stdin": sys.stdin.read() if reads else "",
        "environment": {name: os.environ[name] for name in HEARD if name in os.environ},
    }
    with (STATE / "others.jsonl").open("a") as log:
        log.write(json.dumps(call) + "\n")
    sys.stdout.write(ANSWERS.get(" ".join(words[:2]), ""))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
