"""DFS calls that azure-storage-file-datalake has no method for, and other clients make."""

import base64
import uuid

from azure.storage.filedatalake import FileSystemClient

from tests.integration.datalake_gateway.lake_files import put
from tests.integration.datalake_gateway.rest_calls import call
from tests.local_storage import LocalStorage


def test_a_filesystem_is_made_looked_at_and_deleted(local_storage: LocalStorage) -> None:
    name = f"lake-{uuid.uuid4().hex}"

    made = call(local_storage, "PUT", name, "resource=filesystem")
    again = call(local_storage, "PUT", name, "resource=filesystem")
    seen = call(local_storage, "HEAD", name, "resource=filesystem")
    deleted = call(local_storage, "DELETE", name, "resource=filesystem")
    gone = call(local_storage, "HEAD", name, "resource=filesystem")

    assert made.status_code == 201
    assert (again.status_code, again.json()["error"]["code"]) == (409, "FilesystemAlreadyExists")
    assert (seen.status_code, seen.headers["x-ms-namespace-enabled"]) == (200, "true")
    assert deleted.status_code == 202
    assert (gone.status_code, gone.headers["x-ms-error-code"]) == (404, "FilesystemNotFound")


def test_the_status_says_file_or_directory(local_storage: LocalStorage, lake: FileSystemClient) -> None:
    put(lake, "a/b", b"content")
    name = lake.file_system_name

    directory = call(local_storage, "HEAD", f"{name}/a", "action=getStatus")
    file = call(local_storage, "HEAD", f"{name}/a/b", "action=getStatus")
    missing = call(local_storage, "HEAD", f"{name}/c", "action=getStatus")

    assert (directory.status_code, directory.headers["x-ms-resource-type"]) == (200, "directory")
    assert (file.status_code, file.headers["x-ms-resource-type"]) == (200, "file")
    assert (missing.status_code, missing.headers["x-ms-error-code"]) == (404, "PathNotFound")


def test_properties_are_set_in_one_call(local_storage: LocalStorage, lake: FileSystemClient) -> None:
    file = put(lake, "a b+c.txt", b"content")
    value = base64.b64encode(b"test").decode()
    headers = {"x-ms-properties": f"origin={value}", "x-ms-content-type": "text/plain"}

    answer = call(
        local_storage,
        "PATCH",
        f"{lake.file_system_name}/a%20b%2Bc.txt",
        "action=setProperties",
        headers,
    )

    assert answer.status_code == 200
    properties = file.get_file_properties()
    assert properties.metadata == {"origin": "test"}
    assert properties.content_settings.content_type == "text/plain"
    assert properties.size == 7


def test_properties_that_are_not_base64_are_refused(
    local_storage: LocalStorage, lake: FileSystemClient
) -> None:
    path = f"{lake.file_system_name}/a"

    answer = call(local_storage, "PUT", path, "resource=file", {"x-ms-properties": "origin=%%%"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidHeaderValue")


def test_a_flush_needs_a_position(local_storage: LocalStorage, lake: FileSystemClient) -> None:
    put(lake, "a")

    answer = call(local_storage, "PATCH", f"{lake.file_system_name}/a", "action=flush&position=x")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidQueryParameterValue")


def test_an_action_that_does_not_exist_is_refused(
    local_storage: LocalStorage, lake: FileSystemClient
) -> None:
    answer = call(local_storage, "PATCH", f"{lake.file_system_name}/a", "action=unheardOf")

    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "UnsupportedOperation")


def test_a_listing_is_json_with_the_continuation_in_a_header(
    local_storage: LocalStorage, lake: FileSystemClient
) -> None:
    put(lake, "a/b", b"four")

    answer = call(
        local_storage, "GET", lake.file_system_name, "resource=filesystem&recursive=true&maxResults=1"
    )

    assert answer.status_code == 200
    (directory,) = answer.json()["paths"]
    assert (directory["name"], directory["isDirectory"], directory["contentLength"]) == ("a", "true", "0")
    following = call(
        local_storage,
        "GET",
        lake.file_system_name,
        f"resource=filesystem&recursive=true&continuation={answer.headers['x-ms-continuation']}",
    )
    (file,) = following.json()["paths"]
    assert (file["name"], file["contentLength"], "isDirectory" in file) == ("a/b", "4", False)
    assert "x-ms-continuation" not in following.headers
