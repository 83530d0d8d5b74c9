"""The rule `country`: common name and ISO 3166 alpha-2 code by pycountry (data.md, country)."""

from functools import lru_cache
from typing import Literal

import pyarrow as pa
import pycountry

Attribute = Literal["name", "alpha_2"]

_ALIASES = {
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "great britain": "GB",
    "russia": "RU",
    "turkey": "TR",
    "ivory coast": "CI",
}
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def find_countries(text: pa.StringArray, attribute: Attribute) -> pa.StringArray:
    """The common name or the alpha-2 code of each country; null where there is no such country."""
    names = text.dictionary_encode()
    found = [_country(name) for name in names.dictionary.to_pylist()]
    distinct = [None if country is None else country[attribute] for country in found]
    return pa.array(distinct, pa.string()).take(names.indices)


@lru_cache(maxsize=4096)
def _country(text: str) -> dict[Attribute, str] | None:
    try:
        country = pycountry.countries.lookup(_ALIASES.get(text.translate(_ASCII_LOWER), text))
    except LookupError:
        return None
    return {"name": getattr(country, "common_name", country.name), "alpha_2": country.alpha_2}
