"""Ids as the shop spells them, from a seeded generator."""

import numpy as np

_UUID_BYTES = 16


class UuidPool:
    """A number of random UUIDs of version 4 (RFC 9562), each spelled when it is asked for."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self._bytes = rng.bytes(_UUID_BYTES * count)

    def __getitem__(self, index: int) -> str:
        at = _UUID_BYTES * index
        digits = self._bytes[at : at + _UUID_BYTES].hex()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def sku_ids(rng: np.random.Generator, count: int) -> list[str]:
    """Stock-keeping units such as `7fb-6eb-e8f-47982`."""
    digits = rng.bytes(8 * count).hex()
    numbers = rng.integers(10_000, 100_000, count).tolist()
    return [
        f"{digits[at : at + 3]}-{digits[at + 3 : at + 6]}-{digits[at + 6 : at + 9]}-{number}"
        for at, number in zip(range(0, 16 * count, 16), numbers, strict=True)
    ]
