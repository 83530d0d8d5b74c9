"""Deleting files and directories."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError
from azure.storage.filedatalake import FileSystemClient

from tests.integration.datalake_gateway.lake_files import expect_refusal, names, put
from tests.integration.datalake_gateway.rest_calls import call
from tests.local_storage import LocalStorage


def test_a_deleted_file_is_gone_and_its_directory_stays(lake: FileSystemClient) -> None:
    put(lake, "a/b.txt").delete_file()

    assert names(lake) == ["a/"]


def test_deleting_what_does_not_exist_is_refused(lake: FileSystemClient) -> None:
    with expect_refusal(404, "PathNotFound"):
        lake.get_file_client("missing").delete_file()
    with expect_refusal(404, "PathNotFound"):
        lake.get_directory_client("missing").delete_directory()


def test_a_directory_is_deleted_with_all_it_holds(lake: FileSystemClient) -> None:
    for path in ("a/1", "a/b/2", "a/b/c/3", "ab", "z"):
        put(lake, path)

    lake.get_directory_client("a").delete_directory()

    assert names(lake) == ["ab", "z"]


def test_a_full_directory_is_not_deleted_as_if_it_were_a_file(lake: FileSystemClient) -> None:
    put(lake, "a/b.txt")

    with expect_refusal(409, "DirectoryNotEmpty"):
        lake.get_file_client("a").delete_file()

    assert names(lake) == ["a/", "a/b.txt"]


def test_an_empty_directory_may_be_deleted_as_if_it_were_a_file(lake: FileSystemClient) -> None:
    lake.create_directory("a")

    lake.get_file_client("a").delete_file()

    assert names(lake) == []


def test_a_file_is_deleted_under_its_entity_tag_alone(lake: FileSystemClient) -> None:
    file = put(lake, "a")
    old = file.get_file_properties().etag
    put(lake, "a", b"newer")

    with pytest.raises(ResourceModifiedError):
        file.delete_file(etag=old, match_condition=MatchConditions.IfNotModified)

    assert names(lake) == ["a"]


def test_a_deleted_directory_can_be_made_anew(lake: FileSystemClient) -> None:
    put(lake, "a/b")
    lake.get_directory_client("a").delete_directory()

    put(lake, "a/c")

    assert names(lake) == ["a/", "a/c"]


def test_a_file_that_comes_while_its_directory_is_deleted_is_not_lost(
    lake: FileSystemClient, local_storage: LocalStorage
) -> None:
    root = lake.file_system_name
    made = []
    with ThreadPoolExecutor(3) as pool:
        for number in range(60):
            directory = f"{root}/{number}"
            call(local_storage, "PUT", directory, "resource=directory")
            paths = [f"{directory}/a", f"{directory}/b"]
            calls = [("DELETE", directory, "recursive=false")]
            calls += [("PUT", path, "resource=file") for path in paths]
            answers = [answer.status_code for answer in pool.map(lambda c: call(local_storage, *c), calls)]
            assert answers[1:] == [201, 201]
            made += [f"{number}/a", f"{number}/b"]

    assert {path.name for path in lake.get_paths() if not path.is_directory} == set(made)
