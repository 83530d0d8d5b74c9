import os
import subprocess
import sys
from pathlib import Path


def migrate(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SYNAPSE_SERVER")
    }
    return subprocess.run(
        [sys.executable, "-m", "backend", "migrate", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=kept | environment,
    )


def test_a_database_is_migrated_once_and_found_migrated_the_second_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    for _ in range(2):
        done = migrate(DATABASE_URL=url)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "The operational database has the schema that this version needs.\n"


def test_without_a_database_it_says_what_to_set() -> None:
    done = migrate()
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "migrate: set DATABASE_URL, or SYNAPSE_SERVER and SYNAPSE_DATABASE, or all\n",
    )


def test_a_database_that_does_not_answer_is_told_in_one_line_without_its_password() -> None:
    done = migrate(DATABASE_URL="mysql+pymysql://user:secret@127.0.0.1:1/db")
    told = "migrate: the database does not answer (error 2003)\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", told)


def test_a_pool_that_can_not_be_reached_is_told_after_the_operational_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    done = migrate(DATABASE_URL=url, SYNAPSE_SERVER="127.0.0.1", SYNAPSE_DATABASE="dw")
    assert done.returncode == 1
    assert done.stdout == "The operational database has the schema that this version needs.\n"
    assert len(done.stderr.splitlines()) == 1, done.stderr
