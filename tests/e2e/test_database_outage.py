"""A stack on MariaDB, whose server goes away and comes back."""

from pathlib import Path

from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack
from tests.mariadb_server import running_mariadb
from tests.waiting import wait_until


def test_a_job_waits_while_the_database_is_away_and_completes_when_it_is_back(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with running_mariadb(tmp_path / "server") as server:
        url = server.create_database("orchestrator")
        with RunningStack(tmp_path / "state", DATABASE_URL=url) as stack:
            stack.wait_ready()
            user = ApiUser(stack.url)
            server.stop()
            job_id = user.clean(dataCount=200)["jobId"]
            wait_until(lambda: user.job(job_id)["error"] is not None, 60)
            waiting = user.job(job_id)
            server.start()
            completed = user.wait_for_end(job_id)
            with server.connect("orchestrator") as connection, connection.cursor() as cursor:
                cursor.execute("SELECT COUNT(*), MIN(job_id), MAX(job_id) FROM fact_orders")
                stored = cursor.fetchall()
            user.close()
    assert waiting["status"] == "loading"
    assert waiting["error"] == "the operational database: the database does not answer (error 2003)"
    assert {output["table"] for output in waiting["outputs"]} >= {"silver", "fact_orders"}
    assert (completed["status"], completed["error"], completed["attempts"]) == ("completed", None, 1)
    facts = next(output["rows"] for output in completed["outputs"] if output["table"] == "fact_orders")
    assert stored == ((facts, job_id, job_id),)
