"""Calls of the blob service, which pass through."""

import os
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import requests
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError
from azure.storage.blob import (
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    generate_container_sas,
)

from backend.local.addresses import ACCOUNT_KEY, ACCOUNT_NAME
from tests.local_storage import LocalStorage


@pytest.fixture
def container(blob_service: BlobServiceClient) -> ContainerClient:
    return blob_service.create_container(f"blobs-{uuid.uuid4().hex}")


@pytest.mark.parametrize("size", [0, 1, 70_000, 5 << 20])
def test_a_blob_comes_back_as_it_went(container: ContainerClient, size: int) -> None:
    content = os.urandom(size)

    container.upload_blob("blob", content)

    assert container.download_blob("blob").readall() == content


def test_a_blob_is_uploaded_in_blocks_and_read_in_parallel_pieces(local_storage: LocalStorage) -> None:
    content = os.urandom(3 << 20)
    with BlobServiceClient.from_connection_string(
        local_storage.connection_string,
        max_single_put_size=1 << 20,
        max_block_size=1 << 20,
        max_single_get_size=1 << 20,
        max_chunk_get_size=1 << 20,
    ) as service:
        container = service.create_container(f"blobs-{uuid.uuid4().hex}")
        container.upload_blob("blob", content, max_concurrency=3)

        assert container.download_blob("blob", max_concurrency=3).readall() == content


@pytest.mark.parametrize("name", ["a b+c.txt", "größe/日本語", "100%25", "a%2fb", "a&b=c#d?e"])
def test_any_name_comes_back_as_it_went(container: ContainerClient, name: str) -> None:
    container.upload_blob(name, b"content")

    assert container.download_blob(name).readall() == b"content"
    assert name in list(container.list_blob_names())


def test_blobs_are_listed_in_pages(container: ContainerClient) -> None:
    for number in range(5):
        container.upload_blob(str(number), b"")

    pages = [[blob.name for blob in page] for page in container.list_blobs(results_per_page=2).by_page()]

    assert pages == [["0", "1"], ["2", "3"], ["4"]]


def test_a_blob_is_not_written_over_without_leave(container: ContainerClient) -> None:
    container.upload_blob("blob", b"old")

    with pytest.raises(ResourceExistsError):
        container.upload_blob("blob", b"new")


def test_a_blob_is_replaced_under_its_entity_tag_alone(container: ContainerClient) -> None:
    blob = container.upload_blob("blob", b"old")
    first = blob.get_blob_properties().etag
    blob.upload_blob(b"new", overwrite=True, etag=first, match_condition=MatchConditions.IfNotModified)

    with pytest.raises(ResourceModifiedError):
        blob.upload_blob(b"lost", overwrite=True, etag=first, match_condition=MatchConditions.IfNotModified)

    assert blob.download_blob().readall() == b"new"


def test_a_deleted_blob_is_gone(container: ContainerClient) -> None:
    container.upload_blob("blob", b"")

    container.delete_blob("blob")

    assert list(container.list_blob_names()) == []


def test_a_shared_access_signature_opens_what_it_names(
    local_storage: LocalStorage, container: ContainerClient
) -> None:
    container.upload_blob("a b+c.txt", b"content")
    token = generate_container_sas(
        ACCOUNT_NAME,
        container.container_name,
        account_key=ACCOUNT_KEY,
        permission=ContainerSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    account = local_storage.addresses.account_url(local_storage.lake_port)
    address = f"{account}/{container.container_name}/a%20b%2Bc.txt"

    assert requests.get(f"{address}?{token}", timeout=30).content == b"content"
    assert requests.get(f"{address}?{token[:-3]}AAA", timeout=30).status_code == 403
    assert requests.get(address, timeout=30).status_code in {403, 404}
