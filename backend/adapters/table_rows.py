"""Rows of Azure Table storage: what every table adapter shares."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import Any, TypeVar

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import (
    EdmType,
    EntityProperty,
    TableClient,
    TableEntity,
    TableErrorCode,
    TableServiceClient,
    TableTransactionError,
    UpdateMode,
)

from backend.domain.errors import Conflict, NotFound

_Record = TypeVar("_Record")


class TableRows:
    """One table, whose rows are found by partition key and row key."""

    def __init__(self, service: TableServiceClient, table_name: str) -> None:
        self._table: TableClient = service.get_table_client(table_name)

    def insert(self, partition_key: str, row_key: str, properties: Mapping[str, Any]) -> None:
        """Add a row. Raises Conflict when the key is taken."""
        try:
            self._table.create_entity(_entity(partition_key, row_key, properties))
        except ResourceExistsError as error:
            if not self._holds(partition_key, row_key, properties):
                raise Conflict(f"{row_key} exists already") from error

    def insert_together(self, partition_key: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Add rows, by row key, all or none. Raises Conflict when a key is taken."""
        entities = [_entity(partition_key, row_key, properties) for row_key, properties in rows.items()]
        try:
            self._table.submit_transaction([("create", entity) for entity in entities])
        except TableTransactionError as error:
            if _code(error) != TableErrorCode.ENTITY_ALREADY_EXISTS:
                raise
            raise Conflict(f"one of {', '.join(rows)} exists already") from error

    def delete_together(self, partition_key: str, row_keys: Collection[str]) -> None:
        """Delete rows, all or none. Raises NotFound when one of them does not exist."""
        entities = [_entity(partition_key, row_key, {}) for row_key in row_keys]
        try:
            self._table.submit_transaction([("delete", entity) for entity in entities])
        except TableTransactionError as error:
            if _code(error) != TableErrorCode.RESOURCE_NOT_FOUND:
                raise
            raise NotFound(f"one of {', '.join(row_keys)} does not exist") from error

    def put(self, partition_key: str, row_key: str, properties: Mapping[str, Any]) -> None:
        """Add a row, or replace the one that is there."""
        self._table.upsert_entity(_entity(partition_key, row_key, properties), mode=UpdateMode.REPLACE)

    def get(self, partition_key: str, row_key: str) -> TableEntity | None:
        """A row, or None."""
        try:
            return self._table.get_entity(partition_key, row_key)
        except ResourceNotFoundError as error:
            if _code(error) == TableErrorCode.TABLE_NOT_FOUND:
                raise
            return None

    def update(
        self,
        partition_key: str,
        row_key: str,
        read: Callable[[TableEntity], _Record],
        write: Callable[[_Record], Mapping[str, Any]],
        change: Callable[[_Record], _Record],
    ) -> _Record:
        """Replace a row by what `change` makes of it, again until nobody came between.

        A change that changes nothing writes nothing. Raises NotFound.
        """
        while True:
            row = self.get(partition_key, row_key)
            if row is None:
                raise NotFound(f"there is no {row_key}")
            before = read(row)
            after = change(before)
            if after == before or self._replace(row, write(after)):
                return after

    def query(self, text: str, parameters: Mapping[str, Any], limit: int | None = None) -> list[TableEntity]:
        """The rows that a filter selects, by partition key and row key; at most `limit`."""
        rows: Iterable[TableEntity] = self._table.query_entities(
            text, parameters=dict(parameters), results_per_page=limit
        )
        return list(islice(rows, limit))

    def count(self, partition_key: str, most: int) -> int:
        """How many rows a partition has, counted to `most`."""
        keys = self._table.query_entities(
            "PartitionKey eq @key", parameters={"key": partition_key}, select="RowKey", results_per_page=most
        )
        return sum(1 for _ in islice(keys, most))

    def every_row(self) -> Iterator[TableEntity]:
        """Every row of the table, in no order."""
        yield from self._table.list_entities()

    def delete(self, partition_key: str, row_key: str) -> None:
        """Delete a row; nothing happens when it does not exist."""
        self._table.delete_entity(partition_key, row_key)

    def ping(self) -> None:
        """Raise if the table does not answer."""
        self.query("PartitionKey eq @none", {"none": ""}, limit=1)

    def _holds(self, partition_key: str, row_key: str, properties: Mapping[str, Any]) -> bool:
        """Whether a row is the very one that was to be inserted.

        Then the SDK has inserted it, lost the answer, and tried again.
        """
        row = self.get(partition_key, row_key)
        return row is not None and dict(row) == _entity(partition_key, row_key, properties)

    def _replace(self, row: TableEntity, properties: Mapping[str, Any]) -> bool:
        """Write a row back if it is still as it was read."""
        try:
            self._table.update_entity(
                _entity(row["PartitionKey"], row["RowKey"], properties),
                mode=UpdateMode.REPLACE,
                etag=row.metadata["etag"],
                match_condition=MatchConditions.IfNotModified,
            )
        except ResourceModifiedError:
            return False
        except ResourceNotFoundError as error:
            raise NotFound(f"there is no {row['RowKey']}") from error
        return True


def properties_of(record: Any, leave_out: Collection[str] = ()) -> dict[str, Any]:
    """A dataclass's fields as properties, in camelCase; a field that is None has none."""
    return {
        _camel_case(field.name): _property(value)
        for field in fields(record)
        if field.name not in leave_out and (value := getattr(record, field.name)) is not None
    }


def record_from(entity: TableEntity, record_type: type[_Record], **known: Any) -> _Record:
    """The dataclass that `properties_of` took apart; `known` are the fields that it left out."""
    values = {
        name: _value(entity[_camel_case(name)])
        for field in fields(record_type)  # type: ignore[arg-type] # every record is a dataclass
        if (name := field.name) not in known and _camel_case(name) in entity
    }
    return msgspec.convert(values | known, record_type)


def _code(error: HttpResponseError) -> object:
    """Which of the service's own errors it is; the SDK sets this without declaring it."""
    return getattr(error, "error_code", None)


def _entity(partition_key: str, row_key: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {**properties, "PartitionKey": partition_key, "RowKey": row_key}


def _camel_case(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


def _property(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    # A plain int would be an Edm.Int32; a bool is an int too.
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return EntityProperty(value, EdmType.INT64) if is_integer else value


def _value(value: Any) -> Any:
    if isinstance(value, EntityProperty):
        return value.value
    if isinstance(value, datetime):
        # The SDK's own subclass does not compare and copy as a datetime does.
        return datetime.combine(value.date(), value.timetz())
    return value
