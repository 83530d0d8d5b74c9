"""The rule `phone`: E.164 by libphonenumber (data.md, phone)."""

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

_DEFAULT_REGION = "US"
_SEPARATOR = "\n"


def parse_phones(text: pa.StringArray, region: pa.StringArray) -> pa.StringArray:
    """E.164 of each number read in its row's region; null where libphonenumber finds it impossible.

    libphonenumber is Python, so it is asked once for each distinct number and region.
    """
    known = pc.if_else(
        pc.is_in(region, value_set=pa.array(sorted(phonenumbers.SUPPORTED_REGIONS))), region, _DEFAULT_REGION
    )
    pairs = pc.binary_join_element_wise(known, text, _SEPARATOR).dictionary_encode()
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
