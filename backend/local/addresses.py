"""Where the parts of the stack listen: seven ports in a row on the loopback interface."""

import secrets
import socket
import sys
from dataclasses import dataclass

from backend.local.stack_errors import StackFailed

HOST = "127.0.0.1"
PORTS_IN_A_ROW = 7
LAST_PORT = 65_535
_FIRST_TRIED_PORT = 20_000
_TRIED_PORTS = 12_000

# Azurite's account and key, which Microsoft publishes and which open nothing but an emulator on this machine:
# learn.microsoft.com, "Use the Azurite emulator for local Azure Storage development".
ACCOUNT_NAME = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True, slots=True)
class Addresses:
    """The ports of one stack.

    Attributes:
        api: the first port; the others follow it.
    """

    api: int

    @property
    def lake(self) -> int:
        """Blob and DFS, served by the gateway."""
        return self.api + 1

    @property
    def queue(self) -> int:
        """Queue storage, served by Azurite."""
        return self.api + 2

    @property
    def table(self) -> int:
        """Table storage, served by Azurite."""
        return self.api + 3

    @property
    def azurite_blob(self) -> int:
        """Azurite's own blob port, which only the gateway calls."""
        return self.api + 4

    @property
    def functions(self) -> int:
        """The Functions host's HTTP endpoint."""
        return self.api + 5

    @property
    def spark(self) -> int:
        """The Spark worker's HTTP endpoint."""
        return self.api + 6

    @property
    def api_url(self) -> str:
        """The API's address for a browser on this machine."""
        return f"http://{HOST}:{self.api}"

    @property
    def connection_string(self) -> str:
        """What Azure's SDKs and `az` take to reach the stand-ins."""
        return ";".join(
            (
                "DefaultEndpointsProtocol=http",
                f"AccountName={ACCOUNT_NAME}",
                f"AccountKey={ACCOUNT_KEY}",
                f"BlobEndpoint={self.account_url(self.lake)}",
                f"QueueEndpoint={self.account_url(self.queue)}",
                f"TableEndpoint={self.account_url(self.table)}",
            )
        )

    def account_url(self, port: int) -> str:
        """The storage account at one port."""
        return f"http://{HOST}:{port}/{ACCOUNT_NAME}"

    def users(self) -> dict[int, str]:
        """Each port, and what listens there."""
        return {
            self.api: "the API",
            self.lake: "blob storage and the lake",
            self.queue: "queue storage",
            self.table: "table storage",
            self.azurite_blob: "Azurite behind the lake",
            self.functions: "the Functions host",
            self.spark: "the Spark worker",
        }

    def require_free(self) -> None:
        """Make sure that every port can be listened on.

        Raises:
            StackFailed: a port is in use.
        """
        for port, user in self.users().items():
            if not _is_free(port):
                raise StackFailed(
                    f"port {port}, needed for {user}, is in use; stop what uses it or choose with --port"
                )


def free_addresses() -> Addresses:
    """Seven free ports in a row, below those that systems hand out to outgoing connections."""
    while True:
        addresses = Addresses(_FIRST_TRIED_PORT + secrets.randbelow(_TRIED_PORTS))
        if all(_is_free(port) for port in addresses.users()):
            return addresses


def listens(port: int) -> bool:
    """Whether something accepts connections at a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _is_free(port: int) -> bool:
    # Some systems let a socket be bound beside one that listens on every interface: so both are tried.
    if listens(port):
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    sys.stdout.write(f"{free_addresses().api}\n")
