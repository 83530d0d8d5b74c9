import pytest

from backend.local.functions_host.errors import UndecodableMessage
from backend.local.functions_host.message_encoding import decode_message


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("eyJhIjoxfQ==", b'{"a":1}'),
        ("", b""),
        (" eyJh\r\nIjox\tfQ== \n", b'{"a":1}'),
        ("w6k=", "é".encode()),
    ],
)
def test_base64_of_utf_8_is_decoded(text: str, body: bytes) -> None:
    assert decode_message(text, "base64") == body


@pytest.mark.parametrize(
    "text", ['{"a":1}', "eyJhIjoxfQ", "eyJhIjoxfQ=", "YQ==YQ==", "eyJh\x0bIjox", "é", "====", "a-_b"]
)
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(UndecodableMessage, match="the message is not Base64"):
        decode_message(text, "base64")


def test_base64_of_something_else_than_utf_8_is_refused() -> None:
    with pytest.raises(UndecodableMessage, match="not of UTF-8 text"):
        decode_message("/w==", "base64")


def test_without_an_encoding_the_text_is_the_body() -> None:
    assert decode_message("eyJhIjoxfQ==", "none") == b"eyJhIjoxfQ=="
