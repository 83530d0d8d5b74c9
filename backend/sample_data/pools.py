"""Names, places and words by country, drawn once per process from Mimesis."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from mimesis import Address, Finance, Gender, Locale, Person

from backend.sample_data.countries import COUNTRIES, Country

# One seed for the pools of every dataset: a dataset's own seed decides what is drawn from them.
_POOL_SEED = 20_261_122
_NAMES = 200
_PLACES = 150
_STREETS = 120
_OCCUPATIONS = 80
_COMPANIES = 60

_NUMBER = re.compile(r"\d+(-\d+)*")
_NOT_A_LETTER = re.compile(r"[^a-z]")


@dataclass(frozen=True, slots=True)
class Name:
    """A first or a family name, and its ASCII letters for usernames and e-mail addresses."""

    text: str
    letters: str


@dataclass(frozen=True, slots=True)
class CountryPool:
    """What people of one country are called, and where they live and work.

    Attributes:
        first_names: by sex, `male` and `female`.
        last_names: by sex, since some languages inflect them.
        places: a city and its postal code.
        streets: address lines with `{}` for the house number.
    """

    country: Country
    first_names: dict[str, list[Name]]
    last_names: dict[str, list[Name]]
    places: list[tuple[str, str]]
    streets: list[str]
    occupations: list[str]
    companies: list[str]


@cache
def country_pools() -> tuple[CountryPool, ...]:
    """One pool for each of `COUNTRIES`, in their order; about 0.1 s the first time."""
    return tuple(_country_pool(country) for country in COUNTRIES)


@cache
def passwords() -> list[str]:
    """Passwords that nobody has."""
    person = Person(Locale.EN, seed=_POOL_SEED)
    return [person.password(length=10) for _ in range(_NAMES)]


def _country_pool(country: Country) -> CountryPool:
    person = Person(country.locale, seed=_POOL_SEED)
    address = Address(country.locale, seed=_POOL_SEED)
    finance = Finance(country.locale, seed=_POOL_SEED)
    sexes = {"male": Gender.MALE, "female": Gender.FEMALE}
    return CountryPool(
        country=country,
        first_names={
            sex: [_name(person.first_name(gender)) for _ in range(_NAMES)] for sex, gender in sexes.items()
        },
        last_names={
            sex: [_name(person.last_name(gender)) for _ in range(_NAMES)] for sex, gender in sexes.items()
        },
        places=[(_without_digits(address.city), address.postal_code()) for _ in range(_PLACES)],
        streets=[_street(address) for _ in range(_STREETS)],
        occupations=[_one_line(person.occupation()) for _ in range(_OCCUPATIONS)],
        companies=[_one_line(finance.company()) for _ in range(_COMPANIES)],
    )


def _without_digits(draw: Callable[[], str]) -> str:
    # Some of Mimesis' place names have a number in the middle of a word.
    while _NUMBER.search(text := _one_line(draw())):
        continue
    return text


def _street(address: Address) -> str:
    while len(_NUMBER.findall(text := _one_line(address.address()))) != 1:
        continue
    return _NUMBER.sub("{}", text)


def _name(text: str) -> Name:
    plain = unicodedata.normalize("NFKD", text).lower()
    return Name(_one_line(text), _NOT_A_LETTER.sub("", plain))


def _one_line(text: str) -> str:
    return " ".join(text.split())
