"""The countries that sample customers live in, and how their telephone numbers are written."""

from dataclasses import dataclass

from mimesis import Locale


@dataclass(frozen=True, slots=True)
class Country:
    """A country of the sample data.

    Attributes:
        name: as the shop spells it in `address.country`.
        share: its share of the customers, relative to the others.
        phone_formats: valid numbers of the country as people write them; `{a}` and `{b}` stand for
            any four digits, `{c}` for any two.
        family_name_first: whether the family name comes first in a full name.
    """

    name: str
    locale: Locale
    share: int
    phone_formats: tuple[str, ...]
    family_name_first: bool = False


COUNTRIES = (
    Country(
        "United States",
        Locale.EN,
        34,
        ("+1 212 5{c} {a}", "(415) 6{c}-{a}", "312.4{c}.{a}", "001-646-7{c}-{a}", "(763)8{c}-{a}x{b}"),
    ),
    Country("United Kingdom", Locale.EN_GB, 12, ("+44 7720 {c}{a}", "07912 {c}{a}", "0044 7400 {c}{a}")),
    Country("Germany", Locale.DE, 11, ("+49 151 {a}{b}", "0170 2{c}{a}", "0049 171 3{c}{a}")),
    Country("France", Locale.FR, 8, ("+33 6 12 {c} {a}", "06 34 {c} {a}")),
    Country("Japan", Locale.JA, 7, ("+81 90 2{c}0 {a}", "090-3{c}5-{a}"), family_name_first=True),
    Country("Canada", Locale.EN_CA, 6, ("+1 416 5{c} {a}", "(604) 7{c}-{a}", "514.2{c}.{a}")),
    Country("Australia", Locale.EN_AU, 5, ("+61 412 {c}{a}", "0423 {c}{a}")),
    Country("Brazil", Locale.PT_BR, 4, ("+55 11 9{a}-{b}", "(21) 9{a}-{b}")),
    Country("Spain", Locale.ES, 4, ("+34 612 {c}{a}", "655 {c}{a}")),
    Country("Italy", Locale.IT, 3, ("+39 347 2{c}{a}", "338 4{c}{a}")),
    Country("Netherlands", Locale.NL, 2, ("+31 6 12{c}{a}", "06 25{c}{a}")),
    Country("Poland", Locale.PL, 2, ("+48 512 {c}{a}", "601 {c}{a}")),
    Country("Sweden", Locale.SV, 1, ("+46 70 1{c}{a}", "070-2{c}{a}")),
    Country("Mexico", Locale.ES_MX, 1, ("+52 55 1{c}5 {a}", "55 2{c}4 {a}")),
)
