"""The rules of data.md, section 2 and 3, each a small value that turns a source field into a column.

A rule says what to do, not to which shop's field: a dataset's contract (`order_lines.py`) names those.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.transformations import countries, decimals, instants, phone_numbers
from backend.transformations.scalars import Mask, Scalars, decimal_text, float_text, mask

DATE = pa.date32()
TIMESTAMP = pa.timestamp("us", "UTC")

_INVALID_WORD = "^(?i:invalid)"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ATOM = "[a-z0-9!#$%&'*+/=?^_{|}~`-]+"
_EMAIL = rf"^{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+$"
_EMAIL_LOCAL_PART_LENGTH = 64
_EMAIL_LENGTH = 254
_POSTAL_CODE = "^[A-Z0-9][A-Z0-9 -]{1,8}[A-Z0-9]$"
_INTEGER = r"^[+-]?[0-9]{1,18}(?:\.0+)?$"
_PHONE_DIGITS = 7
_GREATEST_AMOUNT_IN_CENTS = 1_000_000 * 100
_MONTH = 100  # month * 100 + day orders the days of a year, 29 February between its neighbours
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Checked:
    """A column after its rule.

    Attributes:
        values: the column; null where missing or invalid.
        missing: where there was no value (and none was imputed).
        invalid: where there was one that the rule refuses.
    """

    values: pa.Array
    missing: Mask
    invalid: Mask


class Evaluation(Protocol):
    """What a rule may ask of the rows it is evaluated on.

    Attributes:
        as_of: the job's submission time, in microseconds since 1970 in UTC.
    """

    as_of: int

    def scalars(self, source: str, number_text: Callable[[float], str] = float_text) -> Scalars:
        """A source field, such as `user.email`."""

    def column(self, name: str) -> Checked:
        """Another column of the same table, after its rule."""


class Rule(Protocol):
    """How a column's values come about."""

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """The column for these rows; `source` is the field it reads ("" for a computed column)."""


def _checked(values: pa.Array, valid: Mask, scalars: Scalars) -> Checked:
    kept = values if valid.all() else pc.if_else(pa.array(valid), values, pa.scalar(None, values.type))
    missing = scalars.missing
    return Checked(kept, missing, ~missing & ~valid)


@dataclass(frozen=True, slots=True)
class Identifier:
    """`id`, or `key` when a value that begins with "invalid" counts as missing too."""

    key: bool = False

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """Never invalid: what can't be read counts as missing."""
        text = rows.scalars(source).text
        if self.key:
            begins_invalid = mask(pc.match_substring_regex(text, _INVALID_WORD))
            text = pc.if_else(pa.array(begins_invalid), pa.scalar(None, pa.string()), text)
        missing = mask(text.is_null())
        return Checked(text, missing, np.zeros(len(missing), np.bool_))


@dataclass(frozen=True, slots=True)
class Text:
    """`text`."""

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """Any text that does not begin with "invalid"."""
        scalars = rows.scalars(source)
        valid = mask(scalars.text.is_valid()) & ~mask(pc.match_substring_regex(scalars.text, _INVALID_WORD))
        return _checked(scalars.text, valid, scalars)


@dataclass(frozen=True, slots=True)
class Email:
    """`email`."""

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """ASCII letters in lower case."""
        scalars = rows.scalars(source)
        text = pc.ascii_lower(scalars.text)
        valid = mask(pc.match_substring_regex(text, _EMAIL))
        valid &= mask(pc.less_equal(pc.binary_length(text), _EMAIL_LENGTH))
        valid &= mask(pc.less_equal(pc.find_substring(text, "@"), _EMAIL_LOCAL_PART_LENGTH))
        return _checked(text, valid, scalars)


@dataclass(frozen=True, slots=True)
class Phone:
    """`phone`; the region stands in another column."""

    region: str

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """E.164."""
        scalars = rows.scalars(source)
        digits = pc.count_substring_regex(scalars.text, "[0-9]")
        plausible = mask(pc.greater_equal(digits, _PHONE_DIGITS))
        plausible &= ~mask(pc.match_substring_regex(scalars.text, _INVALID_WORD))
        candidates = pc.if_else(pa.array(plausible), scalars.text, pa.scalar(None, pa.string()))
        numbers = phone_numbers.parse_phones(candidates, rows.column(self.region).values)
        return _checked(numbers, mask(numbers.is_valid()), scalars)


@dataclass(frozen=True, slots=True)
class Country:
    """`country`: one attribute of it."""

    attribute: countries.Attribute

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """The common name or the alpha-2 code."""
        scalars = rows.scalars(source)
        found = countries.find_countries(scalars.text, self.attribute)
        return _checked(found, mask(found.is_valid()), scalars)


@dataclass(frozen=True, slots=True)
class PostalCode:
    """`postal_code`."""

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """ASCII letters in upper case."""
        scalars = rows.scalars(source)
        text = pc.ascii_upper(scalars.text)
        valid = mask(pc.match_substring_regex(text, _POSTAL_CODE))
        valid &= mask(pc.match_substring_regex(text, "[0-9]"))
        valid &= ~mask(pc.starts_with(text, "INVALID"))
        return _checked(text, valid, scalars)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, ignoring case: `sex`, `status`. Maps what is written to what is kept."""

    words: Mapping[str, str]

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """The word that is kept."""
        scalars = rows.scalars(source)
        places = pc.index_in(pc.ascii_lower(scalars.text), value_set=pa.array(self.words))
        values = pa.array(self.words.values(), pa.string()).take(places)
        return _checked(values, mask(values.is_valid()), scalars)


@dataclass(frozen=True, slots=True)
class Integer:
    """`integer(lowest, greatest)`."""

    lowest: int
    greatest: int

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """An int32 column."""
        scalars = rows.scalars(source)
        matched = mask(pc.match_substring_regex(scalars.text, _INTEGER))
        digits = pc.replace_substring_regex(scalars.text, r"^\+|\.0+$", "")
        numbers = pc.if_else(pa.array(matched), digits, "0").cast(pa.int64()).to_numpy()
        valid = matched & (numbers >= self.lowest) & (numbers <= self.greatest)
        return _checked(pa.array(np.where(valid, numbers, 0), pa.int32()), valid, scalars)


@dataclass(frozen=True, slots=True)
class Age:
    """`integer(lowest, greatest)`, else the whole years from a date column to `as_of` (data.md, age)."""

    lowest: int
    greatest: int
    birth_date: str

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """Imputing clears a missing, not an invalid."""
        stated = Integer(self.lowest, self.greatest).evaluate(source, rows)
        years = self._whole_years(rows)
        imputed = pc.if_else(stated.values.is_null(), years, stated.values)
        return Checked(imputed, stated.missing & mask(imputed.is_null()), stated.invalid)

    def _whole_years(self, rows: Evaluation) -> pa.Int32Array:
        birth = rows.column(self.birth_date).values
        today = _EPOCH + timedelta(days=rows.as_of // instants.MICROSECONDS_PER_DAY)
        birthday = pc.add(pc.multiply(pc.month(birth), _MONTH), pc.day(birth))
        not_yet = pc.greater(birthday, today.month * _MONTH + today.day).cast(pa.int64())
        years = pc.subtract(pc.subtract(today.year, pc.year(birth)), not_yet).cast(pa.int32())
        possible = pc.and_(pc.greater_equal(years, self.lowest), pc.less_equal(years, self.greatest))
        return pc.if_else(possible, years, pa.scalar(None, pa.int32()))


@dataclass(frozen=True, slots=True)
class Money:
    """`money`: a decimal128(precision, 2) column."""

    precision: int

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """Exact cents from 0 to 1,000,000."""
        scalars = rows.scalars(source, decimal_text)
        cents, valid = decimals.parse_cents(scalars.text)
        valid &= (cents >= 0) & (cents <= _GREATEST_AMOUNT_IN_CENTS)
        cents[~valid] = 0
        return _checked(decimals.decimals_of(cents, valid, self.precision), valid, scalars)


@dataclass(frozen=True, slots=True)
class Instant:
    """`instant`.

    Attributes:
        at_most: how long after `as_of` an instant may be; later ones are invalid.
        not_before: a column of instants; an earlier one here becomes null.
    """

    at_most: timedelta | None = None
    not_before: str | None = None

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """A timestamp column."""
        scalars = rows.scalars(source)
        micros, valid = instants.parse_instants(scalars.text)
        if self.at_most is not None:
            valid &= micros <= rows.as_of + self.at_most // timedelta(microseconds=1)
        values = pa.array(micros).cast(TIMESTAMP)
        if self.not_before is not None:
            valid &= ~mask(pc.less(values, rows.column(self.not_before).values))
        return _checked(values, valid, scalars)


@dataclass(frozen=True, slots=True)
class PastDate:
    """`instant` as a UTC date, not after the date of `as_of`."""

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """A date32 column."""
        scalars = rows.scalars(source)
        micros, valid = instants.parse_instants(scalars.text)
        days = micros // instants.MICROSECONDS_PER_DAY
        valid &= days <= rows.as_of // instants.MICROSECONDS_PER_DAY
        return _checked(pa.array(days.astype(np.int32)).cast(DATE), valid, scalars)


@dataclass(frozen=True, slots=True)
class Digest:
    """The first hex digits of the SHA-256 of other columns, joined by "|", null as empty (location_id)."""

    columns: tuple[str, ...]
    digits: int

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """Null when all of the columns are."""
        parts = [rows.column(name).values for name in self.columns]
        joined = pc.binary_join_element_wise(*(part.fill_null("") for part in parts), "|")
        empty = np.logical_and.reduce([mask(part.is_null()) for part in parts])
        distinct = pc.if_else(pa.array(empty), pa.scalar(None, pa.string()), joined).dictionary_encode()
        digests = [
            sha256(text.encode()).hexdigest()[: self.digits] for text in distinct.dictionary.to_pylist()
        ]
        return _computed(pa.array(digests, pa.string()).take(distinct.indices))


@dataclass(frozen=True, slots=True)
class Product:
    """A money column times an integer column, as decimal128(precision, 2); null when either is."""

    amount: str
    factor: str
    precision: int

    def evaluate(self, source: str, rows: Evaluation) -> Checked:
        """Exact."""
        amount, factor = rows.column(self.amount).values, rows.column(self.factor).values
        valid = mask(amount.is_valid()) & mask(factor.is_valid())
        cents = decimals.cents_of(amount) * factor.fill_null(0).cast(pa.int64()).to_numpy()
        return _computed(decimals.decimals_of(cents, valid, self.precision))


def _computed(values: pa.Array) -> Checked:
    missing = mask(values.is_null())
    return Checked(values, missing, np.zeros(len(missing), np.bool_))
