"""Looks for the service's secrets in everything that it keeps, logs and answers."""

from dataclasses import dataclass, field
from pathlib import Path

from backend.local.addresses import ACCOUNT_KEY
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack

_FAILING_RECORD = {"order": {"id": "o-1"}, "user": {"id": "u-1", "company": "x" * 1001}}
_KEEPERS = {"jwt_secret_key": "the key of the tokens", "connection_string": "the storage key"}
"""Files of a stack's state that are there to keep a secret."""


@dataclass
class SecretSearch:
    """What was searched for, and in what.

    Attributes:
        secrets: by what they are.
        answers: what the API has answered.
        places: how many files and answers were searched.
        found: each place that holds a secret, and which.
        kept: the files that are there to hold one, and do.
    """

    secrets: dict[str, str]
    answers: list[bytes] = field(default_factory=list)
    places: int = 0
    found: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)

    @property
    def outcome(self) -> str:
        """In words."""
        return f"in {self.places} files and answers: {', '.join(self.found) or 'nothing'}"

    def look_into(self, name: str, content: bytes) -> None:
        """Search one place."""
        self.places += 1
        for secret, text in self.secrets.items():
            if text.encode() not in content:
                continue
            if _KEEPERS.get(name) == secret:
                self.kept.add(name)
            else:
                self.found.append(f"{secret} in {name}")


def search(stack: RunningStack) -> SecretSearch:
    """Have a stack do what goes well and what goes wrong, and search all that comes of it."""
    user = ApiUser(stack.url)
    try:
        result = SecretSearch(
            {
                "the key of the tokens": (stack.state / "jwt_secret_key").read_text(),
                "the storage key": ACCOUNT_KEY,
                "a password": user.password,
                "a wrong password": f"wrong-{user.password}",
                "an access token": user.access_token,
                "a refresh token": user.refresh_token,
            }
        )
        result.answers += _work_and_failures(user)
    finally:
        user.close()
    for answer in result.answers:
        result.look_into("an answer", answer)
    result.look_into("the terminal", stack.output.encode())
    for file in sorted(stack.state.rglob("*")):
        if file.is_file():
            result.look_into(str(file.relative_to(stack.state)), _read(file))
    return result


def _work_and_failures(user: ApiUser) -> list[bytes]:
    done = user.clean(dataCount=20)["jobId"]
    failed = user.clean(parentJobId=user.upload([_FAILING_RECORD]))["jobId"]
    assert user.wait_for_end(done)["status"] == "completed"
    assert user.wait_for_end(failed)["status"] == "failed"
    answers = [
        user.call("GET", f"/jobs/{job_id}{path}")
        for job_id in (done, failed)
        for path in ("", "/quality", "/tables/silver", "/tables/dim_users?format=csv")
    ]
    wrong = {"username": user.username, "password": f"wrong-{user.password}"}
    bearer = {"Authorization": f"Bearer {user.access_token}x"}
    answers += [
        user.call("POST", "/login", json=wrong),
        user.call("POST", "/register", json=wrong),
        user.call("POST", "/register", json={"username": "a b", "password": user.password}),
        user.call("POST", "/login", data=user.password),
        user.call("GET", "/jobs", headers=bearer),
        user.call("GET", f"/jobs?token={user.access_token}"),
        user.call("GET", f"/{user.password}"),
        user.call("POST", "/upload_raw", data=f"[{{{user.password}"),
        user.call("GET", "/readyz"),
        user.call("GET", "/metrics"),
    ]
    return [answer.content + repr(sorted(answer.headers.items())).encode() for answer in answers]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        # Of what is written and removed meanwhile, such as a journal of the database.
        return b""
