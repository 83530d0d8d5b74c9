"""libphonenumber's reading of numbers that are written with plain digits, from its own metadata.

`phonenumbers.parse` takes some 25 microseconds, most of it on spellings that few numbers have. This takes
the digits alone through the same steps; where a step would need more than that, it says so by None and
libphonenumber itself is asked. `tests/transformations/test_phone_numbers.py` holds the two together.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    ValidationResult,
    region_code_for_country_code,
)

IMPOSSIBLE = ""

_LONGEST_COUNTRY_CODE = 3
_NEVER = "(?!)"
_SHORTEST_NUMBER = 2
_LONGEST_NUMBER = 17
_NATIONAL_PREFIX_KEPT = (
    ValidationResult.TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY,
    ValidationResult.INVALID_LENGTH,
)


@dataclass(frozen=True, slots=True)
class _NumberingPlan:
    """What libphonenumber knows of a region's numbers, compiled."""

    region: str
    country_code: str
    international_prefix: re.Pattern[str]
    national_prefix: re.Pattern[str] | None
    transform_rule: str | None
    number: re.Pattern[str]
    lengths: tuple[int, ...]
    local_lengths: tuple[int, ...]

    def without_national_prefix(self, digits: str) -> str:
        match = self.national_prefix.match(digits) if self.national_prefix and digits else None
        if match is None:
            return digits
        if self.transform_rule is None or match[match.re.groups] is None:
            rest = digits[match.end() :]
        else:
            rest = match.expand(self.transform_rule) + digits[match.end() :]
        if self.number.fullmatch(digits) and not self.number.fullmatch(rest):
            return digits
        return rest

    def length(self, digits: str) -> int:
        """One of `ValidationResult`."""
        size = len(digits)
        if size in self.local_lengths:
            return ValidationResult.IS_POSSIBLE_LOCAL_ONLY
        if size in self.lengths:
            return ValidationResult.IS_POSSIBLE
        if size < self.lengths[0]:
            return ValidationResult.TOO_SHORT
        return ValidationResult.TOO_LONG if size > self.lengths[-1] else ValidationResult.INVALID_LENGTH


def e164(international: bool, digits: str, region: str) -> str | None:
    """A number in E.164.

    Args:
        international: whether it was written with a plus.
        digits: its digits, in order, without an extension.
        region: one of libphonenumber's regions.

    Returns:
        The number, IMPOSSIBLE, or None when only libphonenumber can tell.
    """
    plan = _plan(region)
    if plan is None or (not international and plan.international_prefix.match(digits)):
        return None
    if international:
        country_code, national = _split_country_code(digits)
    else:
        country_code, national = _without_own_country_code(digits, plan)
    main = _main_plan(country_code)
    if main is None:
        return None
    if national is not digits and main.region != region:
        plan = main
    return _possible(national, plan, main)


def _possible(national: str, plan: _NumberingPlan, main: _NumberingPlan) -> str | None:
    if not _SHORTEST_NUMBER <= len(national) <= _LONGEST_NUMBER:
        return None
    stripped = plan.without_national_prefix(national)
    if plan.length(stripped) not in _NATIONAL_PREFIX_KEPT:
        national = stripped
    if len(national) > _LONGEST_NUMBER or main.length(national) != ValidationResult.IS_POSSIBLE:
        return IMPOSSIBLE
    return f"+{main.country_code}{national}"


def _without_own_country_code(digits: str, plan: _NumberingPlan) -> tuple[str, str]:
    """A number may begin with its own region's country code without a plus."""
    code = plan.country_code
    if digits.startswith(code):
        rest = plan.without_national_prefix(digits[len(code) :])
        reads_better = not plan.number.fullmatch(digits) and plan.number.fullmatch(rest)
        if reads_better or plan.length(digits) == ValidationResult.TOO_LONG:
            return code, rest
    return code, digits


def _split_country_code(digits: str) -> tuple[str, str]:
    for size in range(1, _LONGEST_COUNTRY_CODE + 1):
        if digits[:size] in _COUNTRY_CODES:
            return digits[:size], digits[size:]
    return "", digits


_COUNTRY_CODES = frozenset(str(code) for code in COUNTRY_CODE_TO_REGION_CODE)


@lru_cache(maxsize=512)
def _main_plan(country_code: str) -> _NumberingPlan | None:
    """The plan of the region that stands for a country code, when one does."""
    return _plan(region_code_for_country_code(int(country_code))) if country_code else None


@lru_cache(maxsize=512)
def _plan(region: str) -> _NumberingPlan | None:
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.general_desc is None:
        return None
    general = metadata.general_desc
    prefix = metadata.national_prefix_for_parsing
    return _NumberingPlan(
        region=region,
        country_code=str(metadata.country_code),
        international_prefix=re.compile(metadata.international_prefix or _NEVER),
        national_prefix=re.compile(prefix) if prefix else None,
        transform_rule=metadata.national_prefix_transform_rule or None,
        number=re.compile(general.national_number_pattern or _NEVER),
        lengths=tuple(general.possible_length),
        local_lengths=tuple(general.possible_length_local_only),
    )
