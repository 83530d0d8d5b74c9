"""Creating files and directories, their properties and conditions."""

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.filedatalake import ContentSettings, DataLakeServiceClient, FileSystemClient

from tests.integration.datalake_gateway.lake_files import expect_refusal, get, names, put


def test_a_created_file_is_empty(lake: FileSystemClient) -> None:
    lake.get_file_client("a.txt").create_file()

    assert get(lake, "a.txt") == b""
    assert lake.get_file_client("a.txt").get_file_properties().size == 0


def test_creating_a_file_again_empties_it(lake: FileSystemClient) -> None:
    file = put(lake, "a.txt", b"old")

    file.create_file()

    assert get(lake, "a.txt") == b""


def test_creating_a_file_makes_the_directories_above_it(lake: FileSystemClient) -> None:
    lake.get_file_client("a/b/c.txt").create_file()

    assert names(lake) == ["a/", "a/b/", "a/b/c.txt"]
    assert lake.get_directory_client("a/b").exists()


def test_a_file_is_not_created_where_one_has_to_be_missing(lake: FileSystemClient) -> None:
    file = put(lake, "a.txt", b"old")

    with expect_refusal(409, "PathAlreadyExists"):
        file.create_file(match_condition=MatchConditions.IfMissing)

    assert get(lake, "a.txt") == b"old"


def test_a_file_is_created_where_one_has_to_be_missing_and_is(lake: FileSystemClient) -> None:
    lake.get_file_client("a.txt").create_file(match_condition=MatchConditions.IfMissing)

    assert names(lake) == ["a.txt"]


def test_a_file_is_replaced_under_its_entity_tag_alone(lake: FileSystemClient) -> None:
    file = put(lake, "a.txt", b"old")
    first = file.get_file_properties().etag
    file.create_file(etag=first, match_condition=MatchConditions.IfNotModified)

    with pytest.raises(ResourceModifiedError):
        file.create_file(etag=first, match_condition=MatchConditions.IfNotModified)


def test_a_file_can_not_take_the_place_of_a_directory(lake: FileSystemClient) -> None:
    lake.create_directory("a")

    with expect_refusal(409, "PathConflict"):
        lake.get_file_client("a").create_file()


def test_a_directory_can_not_take_the_place_of_a_file(lake: FileSystemClient) -> None:
    put(lake, "a")

    with expect_refusal(409, "PathConflict"):
        lake.create_directory("a")


def test_nothing_is_created_below_a_file(lake: FileSystemClient) -> None:
    put(lake, "a")

    with expect_refusal(409, "PathConflict"):
        lake.get_file_client("a/b").create_file()


def test_creating_a_directory_again_keeps_what_it_holds(lake: FileSystemClient) -> None:
    put(lake, "a/b.txt", b"kept")

    lake.create_directory("a")

    assert get(lake, "a/b.txt") == b"kept"


def test_a_directory_is_not_created_where_one_has_to_be_missing(lake: FileSystemClient) -> None:
    lake.create_directory("a")

    with expect_refusal(409, "PathAlreadyExists"):
        lake.create_directory("a", match_condition=MatchConditions.IfMissing)


def test_metadata_and_content_settings_are_kept_through_appends(lake: FileSystemClient) -> None:
    file = lake.get_file_client("a.json")
    file.create_file(
        metadata={"origin": "test"},
        content_settings=ContentSettings(content_type="application/json", cache_control="no-store"),
    )
    file.append_data(b"[]", 0, 2, flush=True)
    file.append_data(b"  ", 2, 2)
    file.flush_data(4)

    properties = file.get_file_properties()
    assert properties.metadata == {"origin": "test"}
    assert properties.content_settings.content_type == "application/json"
    assert properties.content_settings.cache_control == "no-store"
    assert get(lake, "a.json") == b"[]  "


def test_metadata_and_content_settings_can_be_set_later(lake: FileSystemClient) -> None:
    file = put(lake, "a.json")

    file.set_metadata({"origin": "later"})
    file.set_http_headers(ContentSettings(content_type="text/csv"))

    properties = file.get_file_properties()
    assert properties.metadata == {"origin": "later"}
    assert properties.content_settings.content_type == "text/csv"


def test_a_directory_is_known_as_one(lake: FileSystemClient) -> None:
    directory = lake.create_directory("a", metadata={"origin": "test"})

    properties = directory.get_directory_properties()
    assert properties.metadata == {"hdi_isfolder": "true", "origin": "test"}
    assert directory.exists()
    assert not lake.get_directory_client("b").exists()


def test_access_control_is_that_of_an_owner_who_never_changed_it(lake: FileSystemClient) -> None:
    access = put(lake, "a").get_access_control()

    assert access["owner"] == "$superuser"
    assert access["permissions"] == "rw-r-----"
    assert access["acl"] == "user::rw-,group::r--,other::---"


def test_changing_access_control_is_not_served(lake: FileSystemClient) -> None:
    with expect_refusal(501, "UnsupportedOperation"):
        put(lake, "a").set_access_control(permissions="rwxrwxrwx")


def test_what_does_not_exist_is_not_found(lake: FileSystemClient) -> None:
    file = lake.get_file_client("missing")

    with pytest.raises(ResourceNotFoundError):
        file.get_file_properties()
    with pytest.raises(ResourceNotFoundError):
        file.download_file()
    with expect_refusal(404, "PathNotFound"):
        file.get_access_control()
    assert not file.exists()


def test_a_filesystem_that_does_not_exist_is_not_found(lake_service: DataLakeServiceClient) -> None:
    missing = lake_service.get_file_system_client("missing")

    with expect_refusal(404, "FilesystemNotFound"):
        missing.get_file_client("a").create_file()
    with expect_refusal(404, "FilesystemNotFound"):
        names(missing)
    assert not missing.exists()


def test_a_filesystem_is_created_once(lake_service: DataLakeServiceClient, lake: FileSystemClient) -> None:
    with pytest.raises(ResourceExistsError):
        lake_service.create_file_system(lake.file_system_name)


def test_a_deleted_filesystem_is_gone(lake_service: DataLakeServiceClient, lake: FileSystemClient) -> None:
    put(lake, "a/b")

    lake.delete_file_system()

    assert not lake.exists()
    assert lake.file_system_name not in [known.name for known in lake_service.list_file_systems()]


@pytest.mark.parametrize(
    "path",
    [
        "a b/c d.txt",
        "a+b/c+d.txt",
        "größe/日本語.json",
        "100%/a%20b.txt",
        "a%2fb.txt",
        "a&b=c;d,e'f(g)!@$~[h].txt",
        "a#b?c.txt",
        ".hidden/.b.uploading",
    ],
)
def test_any_name_comes_back_as_it_went(lake: FileSystemClient, path: str) -> None:
    put(lake, path, b"content")

    assert get(lake, path) == b"content"
    assert names(lake)[-1] == path
    assert names(lake, path.rpartition("/")[0] or None)[-1] == path
    lake.get_file_client(path).delete_file()
    assert path not in names(lake)


def test_a_directory_with_new_metadata_is_still_one(lake: FileSystemClient) -> None:
    put(lake, "a/b.txt")

    lake.get_directory_client("a").set_metadata({"origin": "test"})

    assert names(lake) == ["a/", "a/b.txt"]
    properties = lake.get_directory_client("a").get_directory_properties()
    assert properties.metadata == {"hdi_isfolder": "true", "origin": "test"}


def test_metadata_is_set_under_its_entity_tag_alone(lake: FileSystemClient) -> None:
    file = put(lake, "a")
    old = file.get_file_properties().etag
    file.set_metadata({"origin": "first"}, etag=old, match_condition=MatchConditions.IfNotModified)

    with pytest.raises(ResourceModifiedError):
        file.set_metadata({"origin": "lost"}, etag=old, match_condition=MatchConditions.IfNotModified)

    assert file.get_file_properties().metadata == {"origin": "first"}
