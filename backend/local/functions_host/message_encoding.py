"""How a queue message's text becomes the body that a function sees."""

import base64
import binascii

from backend.local.functions_host.errors import UndecodableMessage

# .NET's Convert.FromBase64String skips these and nothing else.
_SKIPPED = str.maketrans("", "", " \t\r\n")


def decode_message(text: str, encoding: str) -> bytes:
    """The body of a message, by host.json's `messageEncoding` ("base64" or "none").

    Raises:
        UndecodableMessage: the text is not Base64, or what it encodes is not UTF-8.
    """
    if encoding == "none":
        return text.encode()
    try:
        body = base64.b64decode(text.translate(_SKIPPED), validate=True)
        body.decode()
    except binascii.Error as error:
        raise UndecodableMessage(f"the message is not Base64: {error}") from error
    except UnicodeDecodeError as error:
        raise UndecodableMessage(f"the message is Base64, but not of UTF-8 text: {error}") from error
    except ValueError as error:
        raise UndecodableMessage("the message is not Base64: it holds characters beyond ASCII") from error
    return body
