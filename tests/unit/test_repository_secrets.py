"""No secret is kept in the repository."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from backend.local.addresses import ACCOUNT_KEY

ROOT = Path(__file__).resolve().parents[2]

SHAPES = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a storage key": re.compile(r"(?<![A-Za-z0-9+/])(?<!sha512-)[A-Za-z0-9+/]{86}=="),
    "a shared access signature": re.compile(r"[?&;]sig=[A-Za-z0-9%+/]{40,}"),
    "a token of this service's kind": re.compile(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
    "a token of Databricks": re.compile(r"\bdapi[0-9a-f]{32}\b"),
    "a token of GitHub": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40,})"),
    "a key of AWS": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a secret of an Azure application": re.compile(r"\b[\w~.-]{3}\dQ~[\w~.-]{31,34}\b"),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+]{1,20}://[^\s/:@<>{}$]{1,64}:[^\s/:@<>{}$]{3,64}@"),
    "a secret that is assigned": re.compile(
        r"(?i)\b\w*(secret|password|api_?key|access_?key)\w*[\"']?\s*[:=]\s*[\"'](?=\w*\d)[\w+/=-]{24,}[\"']"
    ),
}
ALLOWED = {
    # Azurite's, which Microsoft publishes: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
    ACCOUNT_KEY,
    # Of servers that do not exist.
    "://user:secret@",
}
EXAMPLES = {
    "a private key": "-----BEGIN RSA PRIVATE" + " KEY-----",
    "a storage key": "AccountKey=" + "aB3/" * 21 + "xy" + "==",
    "a shared access signature": "?sv=2025&sig" + "=" + "a%2B" * 11,
    "a token of this service's kind": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJhZGFhIn0." + "x" * 43,
    "a token of Databricks": "dapi" + "0123456789abcdef" * 2,
    "a token of GitHub": "ghp_" + "aB3" * 12,
    "a key of AWS": "AKIA" + "ABCDEFGHIJKLMNOP",
    "a secret of an Azure application": "aB38" + "Q~" + "x" * 34,
    "a password in a URL": "mysql+pymysql://orchestrator:" + "hunter2@db.example.org/gold",
    "a secret that is assigned": 'JWT_SECRET_KEY = "' + "0123456789abcdef" * 2 + '"',
}


def tracked_files() -> list[Path]:
    git = shutil.which("git") or "git"
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def secrets_in(text: str) -> list[tuple[str, str]]:
    found = [(what, match[0]) for what, shape in SHAPES.items() for match in shape.finditer(text)]
    return [(what, match) for what, match in found if not any(allowed in match for allowed in ALLOWED)]


def test_no_tracked_file_holds_what_looks_like_a_secret() -> None:
    files = [file for file in tracked_files() if file.is_file()]
    assert len(files) > 300
    found = {
        str(file.relative_to(ROOT)): secrets
        for file in files
        if (secrets := secrets_in(file.read_text(errors="replace")))
    }
    assert found == {}


@pytest.mark.parametrize(("what", "example"), EXAMPLES.items())
def test_each_shape_is_known_when_it_is_seen(what: str, example: str) -> None:
    assert what in {shape for shape, _ in secrets_in(example)}


def test_files_that_keep_secrets_are_not_tracked() -> None:
    names = {file.name for file in tracked_files()}
    assert not names & {".env", "jwt_secret_key", "connection_string", "local.settings.json", "id_rsa"}
