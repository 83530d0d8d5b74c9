"""The rule `phone`: E.164 by libphonenumber (data.md, phone)."""

from typing import Any

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from backend.transformations.plain_phone_numbers import IMPOSSIBLE, e164

_DEFAULT_REGION = "US"
_SEPARATOR = "\n"
_INTERNATIONAL = ("+", "00")

# A number that its digits say all about, perhaps with an extension, which E.164 drops.
_PLAIN = r"^(?P<prefix>\+|00)?(?P<number>(?:[1-9(]|0[1-9 ().-])[0-9 ().-]{4,24}[0-9])(?: ?x[0-9]{1,7})?$"


def parse_phones(text: pa.StringArray, region: pa.StringArray) -> pa.StringArray:
    """E.164 of each number read in its row's region; null where libphonenumber finds it impossible."""
    known = pc.if_else(
        pc.is_in(region, value_set=pa.array(sorted(phonenumbers.SUPPORTED_REGIONS))), region, _DEFAULT_REGION
    )
    fields = pc.extract_regex(text, _PLAIN)
    digits = pc.replace_substring_regex(pc.struct_field(fields, "number"), "[^0-9]", "")
    international = pc.is_in(pc.struct_field(fields, "prefix"), value_set=pa.array(_INTERNATIONAL))
    read = [
        None if number is None else e164(with_plus, number, country)
        for with_plus, number, country in zip(*map(_values, (international, digits, known)), strict=True)
    ]
    numbers = pa.array(read, pa.string())
    left = pc.if_else(numbers.is_null(), text, pa.scalar(None, pa.string()))
    numbers = pc.coalesce(numbers, _ask_libphonenumber(left, known))
    return pc.if_else(pc.equal(numbers, IMPOSSIBLE), pa.scalar(None, pa.string()), numbers)


def _values(column: pa.Array) -> list[Any]:
    """By way of NumPy, in a fraction of the time that `to_pylist` takes."""
    values: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
    return values


def _ask_libphonenumber(text: pa.StringArray, region: pa.StringArray) -> pa.StringArray:
    """Once for each distinct number and region."""
    pairs = pc.binary_join_element_wise(region, text, _SEPARATOR).dictionary_encode()
    distinct = [_e164(*pair.split(_SEPARATOR, 1)) for pair in pairs.dictionary.to_pylist()]
    return pa.array(distinct, pa.string()).take(pairs.indices)


def _e164(region: str, text: str) -> str | None:
    number = f"+{text[2:]}" if text.startswith("00") else text
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
