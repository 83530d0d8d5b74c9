"""Every call of the API, tried by somebody who may not: forged tokens, another's ids, hostile names.

    python -m tests.faults.attacks [--long]

starts a stack, attacks it, and says what came out. The calls are those of the service's own OpenAPI document,
so that a new one is attacked by itself.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from backend.domain.identifiers import new_job_id
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack
from tests.faults.attacked_api import Answer, AttackedApi, Operation, Tally, operations
from tests.faults.findings import Finding, record
from tests.faults.forged_tokens import Forger
from tests.faults.hostile_names import hostile_names, random_names
from tests.faults.login_limits import guess_from_one_address, guess_one_password, served
from tests.faults.login_timing import compare_logins
from tests.faults.secret_search import search
from tests.waiting import wait_until

OPEN_OPERATIONS = {
    "POST /register",
    "POST /login",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
}
"""Those that take no token of a user; on Azure, `/metrics` takes one of its own."""

MARKER = "marker-of-the-victim"
_MARKERS = (MARKER.encode(), b"root:x:")
"""What only the victim may be shown, and what stands in a file of the machine."""

_RECORD = {
    "order": {"id": f"{MARKER}-order"},
    "user": {"id": f"{MARKER}-user", "email": f"{MARKER}@example.com"},
    "order_item": {"quantity": 2},
    "products_sku": {"price": "$12.50"},
}
_IDS = {"jobId", "parentJobId", "notificationId"}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY")
_FORMATS = ("", "?format=csv", "?format=parquet")
_TABLES = (
    "silver",
    "quarantine",
    "fact_orders",
    "dim_users",
    "agg_user_metrics",
    "_manifest.json",
    "nonsense",
)


@dataclass
class Scene:
    """A victim who owns a cleaned dataset, and an attacker who has an account and nothing else."""

    api: AttackedApi
    forger: Forger
    victim: ApiUser
    dataset_id: str
    job_id: str
    notification_id: str

    @property
    def operations(self) -> list[Operation]:
        """Every call there is."""
        return list(operations(json.loads(self.api.call("GET", "/openapi.json").body)))

    @property
    def guarded(self) -> list[Operation]:
        """Those that take a token of a user."""
        return [each for each in self.operations if each.guard in self.forger.tokens]

    def places(self, **others: str) -> dict[str, str]:
        """What fills the places of an address: names that exist, and are the victim's."""
        known = {
            "jobId": self.job_id,
            "parentJobId": self.dataset_id,
            "notificationId": self.notification_id,
            "table": "dim_users",
            "pathType": "small_batch",
        }
        return known | others


@contextmanager
def scene(stack: RunningStack) -> Iterator[Scene]:
    """Two users of a running stack."""
    victim, attacker = ApiUser(stack.url), ApiUser(stack.url)
    api = AttackedApi(stack.url)
    try:
        dataset_id = victim.upload([_RECORD])
        job_id = victim.clean(parentJobId=dataset_id)["jobId"]
        assert victim.wait_for_end(job_id)["status"] == "completed"
        key = (stack.state / "jwt_secret_key").read_text()
        tokens = {"accessToken": attacker.access_token, "refreshToken": attacker.refresh_token}
        forger = Forger(key, victim.user_id, attacker.user_id, tokens)
        # Left a moment after the job says that it has ended.
        [told] = wait_until(lambda: victim.call("GET", "/notifications/unread").json()["notifications"], 30)
        yield Scene(api, forger, victim, dataset_id, job_id, told["id"])
    finally:
        api.close()
        victim.close()
        attacker.close()


def try_tokens(scene: Scene) -> list[Tally]:
    """Every guarded call with every kind of token that is not good: 401, in the same words everywhere."""
    tallies: dict[str, Tally] = {}
    words: dict[tuple[str, int], object] = {}
    for operation in scene.guarded:
        target = operation.target(**scene.places(table="users" if "get_" in operation.template else "silver"))
        body = operation.body(parentJobId=scene.dataset_id)
        for kind, tokens in scene.forger.forgeries(operation.guard or "").items():
            tally = tallies.setdefault(kind, Tally(f"every call with {kind}"))
            for number, token in enumerate(tokens):
                answer = scene.api.call(operation.method, target, token, body=body)
                same = words.setdefault((kind, number), answer.told) == answer.told
                right = answer.status == 401 and same and not shows(answer)
                tally.judge(f"{operation.name} with {token}", answer, right=right)
    return list(tallies.values())


def try_ids_of_another(scene: Scene) -> Tally:
    """Every call that takes an id, with the victim's: the very answer that an id of nobody's gets."""
    tally = Tally("every call with another user's ids, beside ids of nobody's")
    token = scene.forger.tokens["accessToken"]
    for operation in scene.guarded:
        for real in (scene.job_id, scene.dataset_id, scene.notification_id):
            absent = new_job_id()
            for place in _variants(operation):
                answers = [
                    scene.api.call(
                        operation.method,
                        operation.target(**scene.places(**dict.fromkeys(_IDS, each), table=place[0]))
                        + place[1],
                        token,
                        body=operation.body(parentJobId=each),
                    )
                    for each in (real, absent)
                ]
                right = answers[0].told == answers[1].told and answers[0].status == 404
                tally.judge(f"{operation.name} {place}", answers[0], right=right and not shows(answers[0]))
    return tally


def _variants(operation: Operation) -> Iterator[tuple[str, str]]:
    """A table and a query, for each way to ask a call for what belongs to an id; none if it takes no id."""
    if "table" in operation.places and "jobId" in operation.places:
        yield from ((table, format_) for table in _TABLES for format_ in _FORMATS)
    elif _IDS.intersection((*operation.places, *operation.fields)):
        yield "user", ""


def try_names(scene: Scene, random_count: int, seed: int) -> Tally:
    """Every place of every address with hostile names, by the owner: what an unknown name gets."""
    tally = Tally("every id in an address with `../`, `%2f`, NUL, look-alikes, 10 KB")
    owner = scene.victim.access_token
    nothing = scene.api.call("GET", "/nothing/at/all", owner).body
    for operation in scene.guarded:
        for place in operation.places:
            known = scene.places()[place]
            unknown = scene.api.call(operation.method, _with(scene, operation, place, "unknown"), owner)
            names = [
                *hostile_names(known, scene.victim.user_id),
                *random_names(known, scene.victim.user_id, random_count, seed),
            ]
            for name in names:
                answer = scene.api.call(operation.method, _with(scene, operation, place, name), owner)
                refused = answer.body in (unknown.body, nothing) and 400 <= answer.status < 500
                tally.judge(f"{operation.name} {name[:80]}", answer, right=refused and not shows(answer))
    return tally


def _with(scene: Scene, operation: Operation, place: str, name: str) -> str:
    table = {"table": "user"} if "parentJobId" in operation.places else {}
    return operation.target(**scene.places(**table | {place: name}))


def try_names_in_bodies(scene: Scene) -> Tally:
    """Hostile names as the dataset to clean, as a page's cursor, and as a key of idempotency."""
    tally = Tally("hostile names in bodies, queries and headers")
    owner, absent = scene.victim.access_token, new_job_id()
    for name in hostile_names(scene.dataset_id, scene.victim.user_id):
        # Of what is not UTF-8, a body in JSON can hold no more than its replacement.
        plain = unquote(name)
        body = {"parentJobId": plain}
        answer = scene.api.call("POST", "/clean_data", owner, body=body)
        tally.judge(f"parentJobId {plain[:80]!r}", answer, right=answer.status in (400, 404))
        answer = scene.api.call("GET", f"/jobs?cursor={name}", owner)
        tally.judge(f"cursor {name[:80]}", answer, right=answer.status == 400)
        key = {"Idempotency-Key": plain.encode("ascii", "replace").decode().translate({0: 1, 10: 11, 13: 14})}
        answer = scene.api.call("POST", "/clean_data", owner, body={"parentJobId": absent}, headers=key)
        tally.judge(f"Idempotency-Key {plain[:80]!r}", answer, right=answer.status in (400, 404))
    return tally


def try_methods(scene: Scene) -> Tally:
    """Every address with every method, without a token: nothing undescribed does a thing."""
    tally = Tally("every address with methods that it does not take, without a token")
    described = {(each.method, each.template) for each in scene.operations}
    for template in sorted({each.template for each in scene.operations}):
        for method in _METHODS:
            if (method, template) in described:
                continue
            answer = scene.api.call(method, template.format_map(scene.places()))
            quiet = not answer.body or answer.status >= 400
            tally.judge(f"{method} {template}", answer, right=quiet and answer.status < 500)
    return tally


def shows(answer: Answer) -> bool:
    """Whether an answer holds anything that its reader may not see."""
    return any(marker in answer.body for marker in _MARKERS)


def attack(scene: Scene, *, long: bool = False) -> list[Tally]:
    """All of it."""
    return [
        *try_tokens(scene),
        try_ids_of_another(scene),
        try_names(scene, 500 if long else 20, seed=20_261_123),
        try_names_in_bodies(scene),
        try_methods(scene),
    ]


def main() -> int:
    """Attack a stack of one's own; 1 if anything was answered that should not have been."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true")
    long = parser.parse_args().long
    with tempfile.TemporaryDirectory() as folder:
        limits = {"CREDENTIAL_RATE_LIMIT": "1000000 per minute"}
        with RunningStack(Path(folder) / "state", **limits) as stack, scene(stack.wait_ready()) as tried:
            tallies = attack(tried, long=long)
            timing = compare_logins(tried.api, tried.victim.username, 500 if long else 40)
            secrets = search(stack)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as urls:
        tallies += [
            guess_from_one_address(urls, 2_000 if long else 60),
            guess_one_password(urls, 500 if long else 30),
        ]
    for tally in tallies:
        record(Finding("Attacks", tally.fault, tally.statuses.total(), tally.outcome))
    record(Finding("Attacks", "logins of users who exist and of others, timed", timing.tries, timing.outcome))
    record(
        Finding("Attacks", "secrets looked for in logs, answers, storage", secrets.places, secrets.outcome)
    )
    return int(any(tally.wrong for tally in tallies) or not timing.alike or bool(secrets.found))


if __name__ == "__main__":
    sys.exit(main())
