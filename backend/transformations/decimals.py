"""Exact money: cents as 64-bit integers, and decimal128 columns made of them (data.md, money)."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.transformations.scalars import Mask, mask

Integers = npt.NDArray[np.int64]

_AMOUNT = (
    "^(?P<sign>[+-]?)[$€£¥]? ?(?P<whole>[0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})"
    "(?:[.](?P<fraction>[0-9]+))?$"
)


def parse_cents(text: pa.StringArray) -> tuple[Integers, Mask]:
    """Read amounts, rounded half up (away from zero) to cents.

    Returns:
        Cents, and where the text was an amount; elsewhere the number is 0.
    """
    fields = pc.extract_regex(text, _AMOUNT)
    matched = fields.is_valid()
    present = fields.drop_null()
    digits = pc.replace_substring(pc.struct_field(present, "whole"), ",", "")
    thousandths = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.struct_field(present, "fraction"), 3, "0"), 0, 3)
    sizes = digits.cast(pa.int64()).to_numpy() * 100 + (thousandths.cast(pa.int64()).to_numpy() + 5) // 10
    negative = mask(pc.equal(pc.struct_field(present, "sign"), "-"))
    cents = np.zeros(len(text), np.int64)
    valid = mask(matched)
    cents[valid] = np.where(negative, -sizes, sizes)
    return cents, valid


def decimals_of(cents: Integers, valid: Mask, precision: int) -> pa.Decimal128Array:
    """A decimal128(precision, 2) column of cents, null where not `valid`."""
    words = np.empty((len(cents), 2), np.int64)
    words[:, 0] = cents
    words[:, 1] = cents >> 63
    bits = pa.array(valid).buffers()[1] if len(valid) else None
    return pa.Array.from_buffers(
        pa.decimal128(precision, 2), len(cents), [bits, pa.py_buffer(words)], int((~valid).sum())
    )


def cents_of(decimals: pa.Decimal128Array) -> Integers:
    """The cents of a decimal128(_, 2) column that fits 64 bits; 0 where null."""
    filled = decimals.fill_null(pa.scalar(0, decimals.type)) if decimals.null_count else decimals
    words = np.frombuffer(filled.buffers()[1], np.int64).reshape(-1, 2)
    cents: Integers = words[filled.offset : filled.offset + len(filled), 0].copy()
    return cents


def divide_half_up(numerator: Integers, denominator: Integers) -> Integers:
    """The exact quotient of two non-negative numbers, rounded half up; the denominator is not 0."""
    quotient, remainder = np.divmod(numerator, denominator)
    rounded: Integers = quotient + (remainder >= denominator - remainder)
    return rounded
