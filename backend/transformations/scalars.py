"""From JSON values to text columns: data.md, Scalars, squash and present."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from types import NoneType
from typing import Any, TypeAlias
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]

Piece: TypeAlias = pa.StringArray | Sequence[Any]
"""A field's JSON values in some rows: an Arrow array where they are all texts or null."""

NULL_WORDS = ("", "null", "none", "n/a", "#n/a", "nan", "undefined", "-", "--")

_LONGEST_NULL_WORD = max(map(len, NULL_WORDS))

# Any that squashing may change.
_NOT_SQUASHED_ASCII = r"[^\x20-\x7e]|^ | $|  "
_SPACES_AND_CONTROLS = r"[\p{Cc}\p{Zs}\p{Zl}\p{Zp}]+"
_INTEGRAL_FLOATS_BELOW = 1e15


@dataclass(frozen=True, slots=True)
class Scalars:
    """One source field over all rows.

    Attributes:
        text: the rule `present`: squashed, null where the value is missing or an invalid scalar.
        invalid: where the value is an object, an array, or a number that overflows a double.
    """

    text: pa.StringArray
    invalid: Mask

    @property
    def missing(self) -> Mask:
        """Where there is no value and nothing invalid either."""
        return mask(self.text.is_null()) & ~self.invalid

    def only(self, kept: Mask) -> "Scalars":
        """Those of some of the rows."""
        return Scalars(self.text.filter(pa.array(kept)), self.invalid[kept])


def mask(booleans: pa.BooleanArray) -> Mask:
    """An Arrow condition as a numpy mask, null counting as false."""
    array: Mask = pc.fill_null(booleans, False).to_numpy(zero_copy_only=False)
    return array


def read_scalars(pieces: Sequence[Piece], number_text: Callable[[float], str]) -> Scalars:
    """Read one field's decoded JSON values.

    Args:
        pieces: all rows, in order; a value is str, int, float, bool, None, list or object.
        number_text: how a number with a fraction or exponent is spelled: `float_text` or `decimal_text`.
    """
    read = [_texts(piece, number_text) for piece in pieces]
    text = pa.concat_arrays([pa.array([], pa.string()), *(text for text, _ in read)])
    invalid = np.concatenate([np.zeros(0, np.bool_), *(invalid for _, invalid in read)])
    return Scalars(_present(_squash(text)), invalid)


def float_text(number: float) -> str:
    """A number where text belongs: integral ones below 10^15 as digits, else Python's `str`."""
    if number.is_integer() and abs(number) < _INTEGRAL_FLOATS_BELOW:
        return str(int(number))
    return str(number)


def decimal_text(number: float) -> str:
    """The shortest decimal that reads back as the same double, without an exponent."""
    return format(Decimal(repr(number)), "f")


def _texts(values: Piece, number_text: Callable[[float], str]) -> tuple[pa.StringArray, Mask]:
    """Vectorised for the columns of one kind that real data has; value by value for the others."""
    if isinstance(values, pa.Array):
        return values, np.zeros(len(values), np.bool_)
    kinds = set(map(type, values))
    if kinds <= {int, NoneType} and _fits_int64(values):
        return pa.array(values, pa.int64()).cast(pa.string()), np.zeros(len(values), np.bool_)
    if kinds <= {int, float, NoneType} and number_text is decimal_text and _fits_double(values):
        text = pa.array(values, pa.float64()).cast(pa.string())
        if not pc.any(pc.match_substring_regex(text, "[a-z]")).as_py():
            return text, np.zeros(len(values), np.bool_)
    return _texts_one_by_one(values, number_text)


def _fits_int64(values: Sequence[Any]) -> bool:
    return all(value is None or -(2**63) <= value < 2**63 for value in values)


def _fits_double(values: Sequence[Any]) -> bool:
    return all(value is None or -(2**53) <= value <= 2**53 for value in values)


def _texts_one_by_one(
    values: Sequence[Any], number_text: Callable[[float], str]
) -> tuple[pa.StringArray, Mask]:
    texts: list[str | None] = [None] * len(values)
    invalid = np.zeros(len(values), np.bool_)
    for row, value in enumerate(values):
        if value is None or isinstance(value, str):
            texts[row] = value
        elif isinstance(value, bool):
            texts[row] = "true" if value else "false"
        elif isinstance(value, int):
            texts[row] = str(value)
        elif isinstance(value, float) and isfinite(value):
            texts[row] = number_text(value)
        else:
            invalid[row] = True
    return pa.array(texts, pa.string()), invalid


def _squash(text: pa.StringArray) -> pa.StringArray:
    if _is_squashed_ascii(text):
        return text
    odd = pc.fill_null(pc.match_substring_regex(text, _NOT_SQUASHED_ASCII), False)
    spellings = text.filter(odd).dictionary_encode()
    # Arrow's own `utf8_normalize` decomposes when asked for NFC.
    composed = pa.array(
        [normalize("NFC", spelling) for spelling in spellings.dictionary.to_pylist()], pa.string()
    )
    squashed = pc.ascii_trim(pc.replace_substring_regex(composed, _SPACES_AND_CONTROLS, " "), " ")
    return pc.replace_with_mask(text, odd, squashed.take(spellings.indices))


def _is_squashed_ascii(text: pa.StringArray) -> bool:
    """Whether squashing would change nothing: a few passes over the bytes instead of a regex."""
    offsets = np.frombuffer(text.buffers()[1], np.int32)[text.offset : text.offset + len(text) + 1]
    if len(offsets) < 2 or offsets[0] == offsets[-1]:
        return True
    data = np.frombuffer(text.buffers()[2], np.uint8)
    inside = data[offsets[0] : offsets[-1]]
    if ((inside - 0x20) > 0x5E).any():
        return False
    spaces = data == 0x20
    held = offsets[1:] > offsets[:-1]
    at_an_edge = spaces[offsets[:-1][held]] | spaces[offsets[1:][held] - 1]
    doubled = spaces[offsets[0] : offsets[-1] - 1] & spaces[offsets[0] + 1 : offsets[-1]]
    return not (at_an_edge.any() or doubled.any())


def _present(text: pa.StringArray) -> pa.StringArray:
    shortest = pc.min_max(pc.binary_length(text))["min"].as_py()
    if shortest is None or shortest > _LONGEST_NULL_WORD:
        return text
    is_null_word = pc.is_in(pc.ascii_lower(text), value_set=pa.array(NULL_WORDS))
    return pc.if_else(is_null_word, pa.scalar(None, pa.string()), text)
