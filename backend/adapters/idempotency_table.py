"""The IdempotencyKeys table: PartitionKey userId, RowKey the SHA-256 of the key.

A key may hold any character, a RowKey not; hence the digest.
"""

from hashlib import sha256

from azure.data.tables import TableServiceClient

from backend.adapters.table_rows import TableRows, properties_of, record_from
from backend.domain.errors import Conflict
from backend.ports import IdempotencyClaim

TABLE_NAME = "IdempotencyKeys"


class IdempotencyTable:
    """Implements `IdempotencyStore`."""

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = TableRows(service, TABLE_NAME)

    def claim(self, user_id: str, key: str, claim: IdempotencyClaim) -> IdempotencyClaim:
        """Record `claim` unless the key is taken; the claim that now stands."""
        row_key = sha256(key.encode()).hexdigest()
        try:
            self._rows.insert(user_id, row_key, properties_of(claim))
        except Conflict:
            entity = self._rows.get(user_id, row_key)
            if entity is None:
                raise
            return record_from(entity, IdempotencyClaim)
        return claim
