"""Who is logged in at which service: one file for each address, which only its owner can read."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import quote

from backend.client.errors import ServiceError

_FOLDER = Path("universal-ai-data-orchestrator") / "logins"


@dataclass(frozen=True, slots=True)
class SavedLogin:
    """What a log-in leaves behind; the refresh token is good for 7 days."""

    username: str
    refresh_token: str


class SavedLogins:
    """The log-ins of this user of the machine.

    Args:
        folder: where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> "SavedLogins":
        """Below `XDG_CONFIG_HOME`, by default `~/.config`."""
        env = os.environ if environment is None else environment
        configured = Path(env.get("XDG_CONFIG_HOME", ""))
        # A relative path has to be ignored, says the XDG Base Directory Specification.
        base = configured if configured.is_absolute() else Path.home() / ".config"
        return cls(base / _FOLDER)

    def path(self, url: str) -> Path:
        """Where the log-in at a service is kept."""
        return self._folder / f"{quote(url, safe='')}.json"

    def find(self, url: str) -> SavedLogin | None:
        """The log-in at a service, if there is one.

        Raises:
            ServiceError: its file can't be read (`not_logged_in`).
        """
        try:
            return SavedLogin(**json.loads(self.path(url).read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            raise ServiceError("not_logged_in", f"{self.path(url)} can't be read: log in again") from None

    def save(self, url: str, login: SavedLogin) -> Path:
        """Keep a log-in in place of any before it; the file."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made with mode 0600, and complete before it has its name.
        with NamedTemporaryFile("w", dir=self._folder, prefix=".login.", delete=False) as file:
            try:
                json.dump(asdict(login), file)
                file.flush()
                Path(file.name).replace(self.path(url))
            except BaseException:
                Path(file.name).unlink()
                raise
        return self.path(url)

    def remove(self, url: str) -> bool:
        """Forget a log-in; whether there was one."""
        with suppress(FileNotFoundError):
            self.path(url).unlink()
            return True
        return False
