"""Section 2: the rules on one JSON value. Each gives a value, MISSING or INVALID."""

import math
import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

import phonenumbers
import pycountry

from tests.transformations.reference.bronze import FractionLiteral, IntegerLiteral


class Absence(Enum):
    """Why there is no value."""

    MISSING = "missing"
    INVALID = "invalid"


MISSING = Absence.MISSING
INVALID = Absence.INVALID

NULL_WORDS = {"null", "none", "n/a", "#n/a", "nan", "undefined", "-", "--"}

COUNTRY_ALIASES = {
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

SEXES = {
    "m": "male",
    "male": "male",
    "f": "female",
    "female": "female",
    "other": "other",
    "x": "other",
    "non-binary": "other",
}

STATUSES = {"success", "pending", "failed", "refunded"}

_LOCAL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_{|}~`-]{1,64}")
_LABEL = re.compile(r"[a-z0-9-]{1,63}")
_POSTAL_CODE = re.compile(r"[A-Z0-9][A-Z0-9 -]{1,8}[A-Z0-9]")
_INTEGER = re.compile(r"([+-]?[0-9]{1,18})(\.0+)?")
_MONEY = re.compile(r"([+-]?)[$€£¥]? ?([0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(\.[0-9]+)?")
_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(?: ?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2})))?"
)
_YEAR_MONTH_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{4})/([0-9]{2})/([0-9]{2})")
_MONTH_DAY_YEAR = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LARGEST_MONEY = Decimal(1_000_000)


def lower(text: str) -> str:
    """ASCII letters lower-cased, all else as it is."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def upper(text: str) -> str:
    """ASCII letters upper-cased, all else as it is."""
    return "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in text)


def begins_with_invalid(text: str) -> bool:
    return lower(text).startswith("invalid")


def scalar_text(value: object) -> str | Absence:
    """A JSON value as text, before squashing."""
    if value is None:
        return MISSING
    if isinstance(value, dict | list):
        return INVALID
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, IntegerLiteral):
        return "0" if value.text == "-0" else value.text
    if isinstance(value, FractionLiteral):
        return _double_text(float(value.text))
    return value


def _double_text(number: float) -> str | Absence:
    if math.isinf(number):
        return INVALID
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return str(number)


def squash(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zs", "Zl", "Zp") else c for c in text)
    return re.sub(" +", " ", text).strip(" ")


def present(value: object) -> str | Absence:
    text = scalar_text(value)
    if isinstance(text, Absence):
        return text
    text = squash(text)
    return MISSING if text == "" or lower(text) in NULL_WORDS else text


def identifier(value: object) -> str | Absence:
    """The rule `id`."""
    text = present(value)
    return MISSING if text is INVALID else text


def key(value: object) -> str | Absence:
    text = identifier(value)
    return MISSING if text is not MISSING and begins_with_invalid(text) else text


def free_text(value: object) -> str | Absence:
    """The rule `text`."""
    text = present(value)
    if isinstance(text, Absence):
        return text
    return INVALID if begins_with_invalid(text) else text


def email(value: object) -> str | Absence:
    text = present(value)
    if isinstance(text, Absence):
        return text
    text = lower(text)
    local, _, domain = text.partition("@")
    labels = domain.split(".")
    valid = (
        len(text) <= 254
        and _LOCAL.fullmatch(local) is not None
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
        and len(labels) >= 2
        and all(_is_label(label) for label in labels)
    )
    return text if valid else INVALID


def _is_label(label: str) -> bool:
    return _LABEL.fullmatch(label) is not None and label[0] != "-" and label[-1] != "-"


def phone(value: object, country_code: str | None) -> str | Absence:
    text = present(value)
    if isinstance(text, Absence):
        return text
    if begins_with_invalid(text) or sum("0" <= c <= "9" for c in text) < 7:
        return INVALID
    if text.startswith("00"):
        text = "+" + text[2:]
    region = country_code if country_code in phonenumbers.SUPPORTED_REGIONS else "US"
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return INVALID
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return INVALID
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country(value: object) -> tuple[str, str] | Absence:
    """The country's name and its alpha-2 code."""
    text = present(value)
    if isinstance(text, Absence):
        return text
    try:
        found = pycountry.countries.lookup(COUNTRY_ALIASES.get(lower(text), text))
    except LookupError:
        return INVALID
    return getattr(found, "common_name", found.name), found.alpha_2


def postal_code(value: object) -> str | Absence:
    text = present(value)
    if isinstance(text, Absence):
        return text
    text = upper(text)
    valid = (
        _POSTAL_CODE.fullmatch(text) is not None
        and any("0" <= c <= "9" for c in text)
        and not text.startswith("INVALID")
    )
    return text if valid else INVALID


def sex(value: object) -> str | Absence:
    text = present(value)
    return text if isinstance(text, Absence) else SEXES.get(lower(text), INVALID)


def status(value: object) -> str | Absence:
    text = present(value)
    if isinstance(text, Absence):
        return text
    return lower(text) if lower(text) in STATUSES else INVALID


def integer(value: object, lowest: int, highest: int) -> int | Absence:
    if isinstance(value, IntegerLiteral):
        number = Decimal(value.text)
    elif isinstance(value, FractionLiteral):
        double = float(value.text)
        if math.isinf(double) or not double.is_integer():
            return INVALID
        number = Decimal(double)
    else:
        text = present(value)
        if isinstance(text, Absence):
            return text
        match = _INTEGER.fullmatch(text)
        if match is None:
            return INVALID
        number = Decimal(match[1])
    return int(number) if lowest <= number <= highest else INVALID


def money(value: object) -> Decimal | Absence:
    if isinstance(value, IntegerLiteral):
        amount = Decimal(value.text)
    elif isinstance(value, FractionLiteral):
        double = float(value.text)
        if math.isinf(double):
            return INVALID
        amount = Decimal(repr(double))
    else:
        text = present(value)
        if isinstance(text, Absence):
            return text
        match = _MONEY.fullmatch(text)
        if match is None:
            return INVALID
        amount = Decimal(match[1] + match[2].replace(",", "") + (match[3] or ""))
    if amount.copy_abs() > 2 * _LARGEST_MONEY:  # quantize has no room for the very large
        return INVALID
    cents = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return cents.copy_abs() if 0 <= cents <= _LARGEST_MONEY else INVALID


def instant(value: object) -> datetime | Absence:
    text = present(value)
    if isinstance(text, Absence):
        return text
    try:
        moment = _moment(text)
    except (ValueError, OverflowError):  # no such date or time, or outside of the years 1 to 9999
        return INVALID
    return INVALID if moment is None or moment < _EARLIEST else moment


def _moment(text: str) -> datetime | None:
    if re.fullmatch("[0-9]{10}", text):
        return _EPOCH + timedelta(seconds=int(text))
    if re.fullmatch("[0-9]{13}", text):
        return _EPOCH + timedelta(milliseconds=int(text))
    if match := _YEAR_MONTH_DAY.fullmatch(text):
        year, month, day = (int(group) for group in match.groups() if group is not None)
        return datetime(year, month, day, tzinfo=UTC)
    if match := _MONTH_DAY_YEAR.fullmatch(text):
        month, day, year = (int(group) for group in match.groups())
        return datetime(year, month, day, tzinfo=UTC)
    if match := _DATE_TIME.fullmatch(text):
        return _date_time(match)
    return None


def _date_time(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute = (int(match[group]) for group in range(1, 6))
    microsecond = int((match[7] or "").ljust(9, "0")[:6])
    zone = UTC
    if match[8]:
        offset_hours, offset_minutes = int(match[9]), int(match[10])
        if offset_hours > 23 or offset_minutes > 59:
            raise ValueError("no such offset")
        offset = timedelta(hours=offset_hours, minutes=offset_minutes)
        zone = timezone(-offset if match[8] == "-" else offset)
    return datetime(year, month, day, hour, minute, int(match[6] or 0), microsecond, zone).astimezone(UTC)
