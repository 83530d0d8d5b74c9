import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.transformations.phone_numbers import _ask_libphonenumber, parse_phones

_REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
_COUNTRY_CODES = sorted(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("937.406.4819", "AU", "+619374064819"),
        ("001-662-613-6801", "GB", "+16626136801"),
        ("(763)853-3836x499", "US", "+17638533836"),
        ("+1-717-553-7190x39698", "DE", "+17175537190"),
        ("1 662 613 6801", "US", "+16626136801"),
        ("0 1632 960 961", "GB", "+441632960961"),
        ("06 698 12345", "IT", "+390669812345"),
        ("011 44 1632 960961", "US", "+441632960961"),
        ("613-6801", "US", None),
        ("12345678901234567", "US", None),
        ("+999 1234567", "US", None),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("٠٢١٢٣٤٥٦٧٨", "AU", "+61212345678"),
        ("662-613-6801", None, "+16626136801"),
        ("662-613-6801", "AQ", "+16626136801"),
    ],
)
def test_a_number_is_read_in_its_region(text: str, region: str | None, expected: str | None) -> None:
    numbers = parse_phones(pa.array([text]), pa.array([region], pa.string()))
    assert numbers.to_pylist() == [expected]


def _example(region: str, kind: int, form: int) -> str:
    number = phonenumbers.example_number_for_type(region, kind)
    return "5551234567" if number is None else str(phonenumbers.format_number(number, form))


_DIGITS = st.text("0123456789", min_size=4, max_size=18)
_WRITTEN = st.one_of(
    _DIGITS,
    st.builds("{}{}".format, st.sampled_from(_COUNTRY_CODES), _DIGITS),
    st.builds("({}) {}-{}".format, st.text("0123456789", min_size=1, max_size=4), _DIGITS, _DIGITS),
    st.builds(
        _example,
        st.sampled_from(_REGIONS),
        st.sampled_from([0, 1, 3]),
        st.sampled_from([0, 1, 2]),
    ),
)
_PREFIXES = st.sampled_from(["", "", "+", "00", "0", "000", "(", "+(", "++", "011"])
_SUFFIXES = st.sampled_from(["", "", "x12", " x1234567", "x12345678", " ext. 5", "#5", ")", "-"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.builds("{}{}{}".format, _PREFIXES, _WRITTEN, _SUFFIXES), st.sampled_from(_REGIONS)),
        min_size=20,
        max_size=60,
    )
)
def test_the_quick_reading_and_libphonenumber_agree(numbers: list[tuple[str, str]]) -> None:
    text = pa.array([number for number, _ in numbers])
    region = pa.array([country for _, country in numbers])
    assert parse_phones(text, region).to_pylist() == _ask_libphonenumber(text, region).to_pylist()
