"""Bronze bytes of the sample's shape, any number of records, the same for the same seed."""

import json
import random
import uuid
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parent.parent / "data" / "bronze_sample.json"

_PADDING = "An engaging read that expands your knowledge, perfect for active people of every age. "


def bronze_like_the_sample(records: int, seed: int = 7) -> bytes:
    """A JSON array of about 3 KB a record: every id, name, address and phone number a different one."""
    randomness = random.Random(seed)
    sample: list[dict[str, Any]] = json.loads(SAMPLE.read_text())
    return json.dumps([_varied(randomness.choice(sample), randomness) for _ in range(records)]).encode()


def _varied(template: dict[str, Any], randomness: random.Random) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(json.dumps(template))
    ids: dict[str, str] = {}
    for entity in record.values():
        for field, value in entity.items():
            if field.endswith("id") and isinstance(value, str):
                kind = value.split("-")[0]
                ids.setdefault(value, f"{kind}-{uuid.UUID(int=randomness.getrandbits(128))}")
                entity[field] = ids[value]
    number = randomness.randrange(10**6)
    user, address = record["user"], record["address"]
    user["username"] = f"{user['username']}{number}"
    if isinstance(user["email"], str):
        user["email"] = f"{number}{user['email']}"
    user["phone_number"] = _other_digits(user["phone_number"], randomness)
    address["address_line"] = f"{number} {address['address_line']}"
    for entity in ("category", "subcategory", "product"):
        record[entity]["description"] = f"{record[entity]['description']} {_PADDING}"
    return record


def _other_digits(phone: str, randomness: random.Random) -> str:
    """The number in its own punctuation, every digit after the first five another one."""
    kept = 5
    return "".join(
        str(randomness.randrange(10)) if character.isdigit() and place >= kept else character
        for place, character in enumerate(phone)
    )
