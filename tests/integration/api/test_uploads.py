import gzip
import io
import json
from typing import Any

import pytest

from backend.bootstrap import Services
from tests.integration.api.conftest import User


def test_a_json_array_becomes_a_dataset_in_bronze(user: User, services: Services) -> None:
    records = [{"order": {"id": str(number)}} for number in range(45)]
    response = user.api.post("/upload_raw", json=records)
    assert response.status_code == 201
    answer = response.json or {}
    assert (answer["recordCount"], answer["parts"]) == (45, 3)
    files = services.bronze.list_files(f"{user.user_id}/{answer['parentJobId']}")
    stored = [record for file in files for record in json.loads(services.bronze.read(file.path))]
    assert stored == records


@pytest.mark.parametrize(
    ("content", "content_type", "filename"),
    [
        (b'{"order": {"id": "1"}}\n{"order": {"id": "2"}}\n', "application/x-ndjson", "orders.jsonl"),
        (b"order.id\n1\n2\n", "text/csv", "orders.csv"),
        (gzip.compress(b'[{"order": {"id": "1"}}, {}]', mtime=0), "application/gzip", "orders.json.gz"),
    ],
)
def test_every_format_is_taken_as_a_body_and_as_a_file(
    user: User, content: bytes, content_type: str, filename: str
) -> None:
    body = user.api.post("/upload_raw", data=content, content_type=content_type)
    file = user.api.post("/upload_raw", data={"file": (io.BytesIO(content), filename, content_type)})
    assert [(answer.json or {}).get("recordCount") for answer in (body, file)] == [2, 2]


def test_a_body_whose_type_curl_made_up_is_taken(user: User) -> None:
    response = user.api.post("/upload_raw", data=b"[{}]", content_type="application/x-www-form-urlencoded")
    assert (response.json or {})["recordCount"] == 1


def test_a_form_without_the_file_says_so(user: User) -> None:
    response = user.api.post("/upload_raw", data={"other": (io.BytesIO(b"[]"), "x.json")})
    assert response.status_code == 400
    assert (response.json or {})["message"] == "Send the records as the multipart file named file."


@pytest.mark.parametrize(
    "body",
    [b"", b"--", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\n[", b"\xff" * 50],
)
def test_a_broken_form_is_refused(user: User, body: bytes) -> None:
    for content_type in ("multipart/form-data; boundary=x", "multipart/form-data"):
        response = user.api.post("/upload_raw", data=body, content_type=content_type)
        assert response.status_code == 400


@pytest.mark.parametrize(
    ("body", "place"),
    [(b'[{"a": 1}, oops]', "byte"), (b'{"a": 1}\n{"b": \n', "line 2"), (b"[1] [2]", "byte")],
)
def test_unreadable_input_names_its_place_and_leaves_nothing_behind(
    user: User, services: Services, body: bytes, place: str
) -> None:
    response = user.api.post("/upload_raw", data=body, content_type="application/json")
    assert response.status_code == 400
    assert place in (response.json or {})["message"].lower()
    assert services.bronze.list_files(user.user_id) == []


def test_too_large_a_body_is_refused_by_its_length_alone(user: User, services: Services) -> None:
    # The body itself is short: only the header is looked at.
    length = {"CONTENT_LENGTH": "1000000000000"}
    response = user.api.post("/upload_raw", data=b"[]", environ_overrides=length)
    assert response.status_code == 413
    assert (response.json or {})["error"] == "too_large"
    assert services.bronze.list_files(user.user_id) == []


@pytest.mark.parametrize("as_file", [False, True])
def test_one_byte_over_the_limit_is_too_large(user: User, services: Services, as_file: bool) -> None:
    for size, status in ((200_000, 201), (200_001, 413)):
        body = b"[1]".ljust(size)
        arguments: dict[str, Any] = (
            {"data": {"file": (io.BytesIO(body), "x.json", "application/json")}}
            if as_file
            else {"data": body, "content_type": "application/json"}
        )
        assert user.api.post("/upload_raw", **arguments).status_code == status
    assert len(services.bronze.list_files(user.user_id)) == 1
