"""The people who order: who they are follows from the seed and their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from backend.sample_data.countries import COUNTRIES
from backend.sample_data.identifiers import UuidPool
from backend.sample_data.pools import CountryPool, Name, country_pools, passwords
from backend.sample_data.timeline import (
    AGES_ON,
    CUSTOMERS_FROM,
    ORDERS_FROM,
    days,
    microseconds,
    microseconds_between,
    spelled,
)

CUSTOMER_COUNT = 60_000
"""How many customers the shop has once a dataset is large; a small one knows the first of them."""

_Choice = TypeVar("_Choice")

_STREAM = 1
_YOUNGEST_DAYS = 16 * 366
_OLDEST_DAYS = 92 * 365
_DRAWS = 15
_DRAW_LIMIT = 1_000_000
_OTHER_SEX_IN = 40
_TITLES = ("Home Address", "Shipping Address", "Work Address", "Billing Address", "Vacation Home")
_MAIL_DOMAINS = ("example.com", "example.org", "example.net")


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """A customer's part of a Bronze record, as JSON."""

    user_id: str
    user: orjson.Fragment
    address: orjson.Fragment


class Customers:
    """All customers of one seed."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, _STREAM])
        shares = np.array([country.share for country in COUNTRIES])
        # An address is saved within a second of registering.
        span = microseconds_between(CUSTOMERS_FROM, ORDERS_FROM) - 1_000_000
        lived = _YOUNGEST_DAYS + rng.beta(1.6, 2.4, CUSTOMER_COUNT) * (_OLDEST_DAYS - _YOUNGEST_DAYS)
        self._registered = CUSTOMERS_FROM + microseconds(rng.integers(0, span, CUSTOMER_COUNT))
        self._deleted = self._registered + days(rng.integers(1_900, 3_000, CUSTOMER_COUNT))
        self._countries = rng.choice(len(COUNTRIES), CUSTOMER_COUNT, p=shares / shares.sum())
        self._days_lived = lived.astype(np.int64)
        self._draws = rng.integers(0, _DRAW_LIMIT, (CUSTOMER_COUNT, _DRAWS), dtype=np.uint32)
        self._user_ids = UuidPool(rng, CUSTOMER_COUNT)
        self._address_ids = UuidPool(rng, CUSTOMER_COUNT)

    def records(self, numbers: NDArray[np.int64]) -> dict[int, CustomerRecord]:
        """The records of some customers, by their number."""
        pools = country_pools()
        times = zip(
            spelled(self._registered[numbers]),
            spelled(self._registered[numbers] + np.timedelta64(412_713, "us")),
            spelled(self._deleted[numbers]),
            strict=True,
        )
        rows = zip(
            numbers.tolist(),
            self._countries[numbers].tolist(),
            self._days_lived[numbers].tolist(),
            self._draws[numbers].tolist(),
            times,
            strict=True,
        )
        return {
            number: self._record(number, pools[country], days_lived, draws, when)
            for number, country, days_lived, draws, when in rows
        }

    def _record(
        self,
        number: int,
        pool: CountryPool,
        days_lived: int,
        draws: list[int],
        when: tuple[str, str, str],
    ) -> CustomerRecord:
        registered, moved_in, deleted = when
        user_id = f"user_id-{self._user_ids[number]}"
        user = _person(pool, draws, number) | _life(days_lived)
        address = _address(pool, draws)
        return CustomerRecord(
            user_id=user_id,
            user=_fragment({"id": user_id} | user | {"create_time": registered, "delete_time": deleted}),
            address=_fragment(
                {"id": f"address_id-{self._address_ids[number]}", "user_id": user_id}
                | address
                | {"create_time": moved_in, "delete_time": deleted}
            ),
        )


@lru_cache(maxsize=2)
def customers(seed: int) -> Customers:
    """The customers of a seed; about 20 ms the first time."""
    return Customers(seed)


def _person(pool: CountryPool, draws: list[int], number: int) -> dict[str, Any]:
    sex = "male" if draws[0] & 1 else "female"
    first = _pick(pool.first_names[sex], draws[1])
    last = _pick(pool.last_names[sex], draws[2])
    names = (last, first) if pool.country.family_name_first else (first, last)
    return {
        "username": f"{last.letters or 'customer'}{number}",
        "real_name": " ".join(name.text for name in names),
        "phone_number": _phone_number(pool, draws),
        "sex": "other" if draws[7] % _OTHER_SEX_IN == 0 else sex,
        "job": _pick(pool.occupations, draws[9]),
        "company": _pick(pool.companies, draws[10]),
        "email": f"{_mailbox(first, last)}{number}@{_pick(_MAIL_DOMAINS, draws[8])}",
        "password": _pick(passwords(), draws[11]),
    }


def _phone_number(pool: CountryPool, draws: list[int]) -> str:
    phone_format = _pick(pool.country.phone_formats, draws[3])
    return phone_format.format(
        a=f"{draws[4] % 10_000:04d}", b=f"{draws[5] % 10_000:04d}", c=f"{draws[6] % 100:02d}"
    )


def _mailbox(first: Name, last: Name) -> str:
    return ".".join(name.letters for name in (first, last) if name.letters) or "customer"


def _life(days_lived: int) -> dict[str, Any]:
    born = AGES_ON - timedelta(days=days_lived)
    birthday_to_come = (born.month, born.day) > (AGES_ON.month, AGES_ON.day)
    return {"birth_of_date": born.isoformat(), "age": AGES_ON.year - born.year - birthday_to_come}


def _address(pool: CountryPool, draws: list[int]) -> dict[str, Any]:
    city, postal_code = _pick(pool.places, draws[12])
    return {
        "title": _pick(_TITLES, draws[11]),
        "address_line": _pick(pool.streets, draws[13]).format(draws[14] % 900 + 1),
        "country": pool.country.name,
        "city": city,
        "postal_code": postal_code,
    }


def _pick(choices: Sequence[_Choice], draw: int) -> _Choice:
    return choices[draw % len(choices)]


def _fragment(entity: dict[str, Any]) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(entity))
