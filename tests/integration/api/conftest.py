"""The application over real adapters: Azurite, the lake's gateway, and SQLite."""

import base64
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.adapters.schema_migration import migrate
from backend.app import create_app
from backend.azure_clients import queue_service
from backend.bootstrap import Services, build_services, ensure_storage
from backend.domain.messages import CleaningMessage, GenerationMessage
from backend.settings import Settings
from tests.integration.api.described_client import DescribedClient
from tests.local_storage import LocalStorage


@dataclass
class User:
    """A registered user, logged in."""

    username: str
    password: str
    user_id: str
    refresh_token: str
    api: DescribedClient


@pytest.fixture(scope="session")
def settings(local_storage: LocalStorage, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    database: Path = tmp_path_factory.mktemp("database") / "accounts.sqlite"
    settings = Settings.from_environment(
        {
            "ORCHESTRATOR_MODE": "local",
            "AZURE_STORAGE_CONNECTION_STRING": local_storage.connection_string,
            "DATABASE_URL": f"sqlite:///{database}",
            "JWT_SECRET_KEY": secrets.token_hex(32),
            "SMALL_BATCH_QUEUE": "api-small-batch",
            "LARGE_BATCH_QUEUE": "api-large-batch",
            "DATA_GENERATION_QUEUE": "api-data-generation",
            "SMALL_BATCH_RECORD_LIMIT": "50",
            "GENERATION_BATCH_SIZE": "20",
            "PART_RECORD_LIMIT": "20",
            "MAX_RECORD_COUNT": "1000",
            "MAX_UPLOAD_BYTES": "200000",
            "CREDENTIAL_RATE_LIMIT": "100000 per minute",
            "FAILED_LOGIN_LIMIT": "100000 per minute",
        }
    )
    ensure_storage(settings)
    migrate(settings.require_database_url())
    return settings


@pytest.fixture(scope="session")
def services(settings: Settings) -> Iterator[Services]:
    services = build_services(settings)
    yield services
    services.account_database.close()
    services.attempt_counts.close()
    services.operational_tables.close()


@pytest.fixture(scope="session")
def anonymous(settings: Settings, services: Services) -> DescribedClient:
    """A caller who has not logged in."""
    return DescribedClient(create_app(settings, services).test_client())


def registered(anonymous: DescribedClient) -> User:
    """A new user."""
    username, password = f"user-{secrets.token_hex(6)}", secrets.token_urlsafe(12)
    account = {"username": username, "password": password}
    assert anonymous.post("/register", json=account).status_code == 201
    session = anonymous.post("/login", json=account).json or {}
    api = anonymous.with_token(session["access_token"])
    return User(username, password, session["user_id"], session["refresh_token"], api)


@pytest.fixture(scope="session")
def new_user(anonymous: DescribedClient) -> Callable[[], User]:
    return lambda: registered(anonymous)


@pytest.fixture
def user(new_user: Callable[[], User]) -> User:
    return new_user()


@pytest.fixture
def other(new_user: Callable[[], User]) -> User:
    return new_user()


class Workers:
    """What the Functions app does, in this process: takes messages off the queues and runs them."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._services = services

    def generate(self) -> None:
        """Run every message of the generator's queue."""
        for body in self.take(self._settings.data_generation_queue):
            self._services.generation.run(GenerationMessage.decode(body), 1)

    def clean(self) -> None:
        """Run every message of the small path's queue, and load what comes of it."""
        for body in self.take(self._settings.small_batch_queue):
            message = CleaningMessage.decode(body)
            self._services.cleaning.run(message, 1)
            self._services.loading.load(message.user_id, message.job_id)

    def take(self, queue_name: str) -> list[bytes]:
        """Every message of a queue, deleted from it."""
        with queue_service(self._settings.storage).get_queue_client(queue_name) as queue:
            messages = list(queue.receive_messages(messages_per_page=32))
            for message in messages:
                queue.delete_message(message)
        return [base64.b64decode(message.content) for message in messages]


@pytest.fixture
def workers(settings: Settings, services: Services) -> Workers:
    """Workers that begin with empty queues."""
    workers = Workers(settings, services)
    for queue_name in (
        settings.small_batch_queue,
        settings.large_batch_queue,
        settings.data_generation_queue,
    ):
        workers.take(queue_name)
    return workers
