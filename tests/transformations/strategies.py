"""Whole datasets of raw JSON text for Hypothesis: mostly plausible records, with every kind of odd value.

A record is a plausible one, made of a few small numbers so that customers, orders and duplicates recur,
with some of its members replaced. Literals are spelled here and not by `json.dumps`, so that `1e400`,
`-0`, `1.0`, lone surrogate escapes and repeated keys occur.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import strategies as st

Dataset = dict[str, bytes]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_ABSENT = ""

PART_NAMES = (
    "part-0001.json",
    "part-0002.json",
    "part-10.json",
    "part-9.json",
    "B.json",
    "a.json",
    "a b.json",
    "\u00e9.json",
    "e\u0301.json",
    "\uff5e.json",
    "\U0001f600.json",
)
"""In no order; by UTF-16 the last two would change places."""

AS_OFS = (
    datetime(2026, 11, 22, 21, 0, tzinfo=UTC),
    datetime(2026, 11, 22, 21, 0, 0, 123456, tzinfo=UTC),
    datetime(2026, 11, 22, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2028, 2, 28, 12, 0, tzinfo=UTC),
    datetime(2028, 2, 29, tzinfo=UTC),
    datetime(2027, 3, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 0, tzinfo=UTC),
)

_ENTITIES = (
    "user",
    "address",
    "category",
    "subcategory",
    "product",
    "products_sku",
    "payment",
    "order",
    "order_item",
)

_TEXTS = (
    '"Ann"',
    '"  two   words  "',
    '"tab\\tand\\u0000control\\u007f"',
    '"no\\u00a0break"',
    '"line\\u2028separator"',
    '"\u2029"',
    '"\\u3000wide\u3000"',
    '"zero\\u200bwidth"',
    '"\\u200b"',
    '"\ufeffmark"',
    '"soft\\u00adhyphen"',
    '"e\\u0301"',
    '"\u212b"',
    '"\\u0301"',
    '" \\u0323\\u0307q"',
    '"\\u1100\\u1161"',
    '"\\ud800"',
    '"\\udfffx\\ud83d\\ude00"',
    '"\\ud83d"',
    '"\U0001f600"',
    '"D\u0130YARBAKIR"',
    '"d\u0131yarbak\u0131r"',
    '"\\uff11\\uff12\\uff13"',
    '"\u0663\u0664"',
    '"stra\u00dfe"',
    '"\ufb01n"',
    '"a|b"',
    '"|"',
    '"\\"quoted\\" \\\\ \\/"',
    '"{\\"a\\": 1}"',
    '"\\ufffd"',
    '"\\ue000"',
    '"\x7f\x85"',
    '"' + "long " * 60 + '"',
)
_NULL_WORDS = (
    '""',
    '" "',
    '"\\u00a0\\u2003"',
    '"null"',
    '"NULL"',
    '"None"',
    '"n/A"',
    '"#N/a"',
    '"NaN"',
    '"nan"',
    '"UNDEFINED"',
    '"-"',
    '"--"',
    '"---"',
    '"\\tnull\\n"',
    '"nul\u200bl"',
    '"\uff4eull"',
)
_INVALIDS = (
    '"invalid"',
    '"Invalid value 12"',
    '"INVALID654"',
    '" \\u00a0iNvAlIdated"',
    '"\u0131nvalid"',
    '"\u0130nvalid"',
    '"not invalid"',
    '"\\u200binvalid"',
)
_WORDS = _TEXTS + _NULL_WORDS + _INVALIDS
_NUMBERS = (
    "0",
    "-0",
    "-0.0",
    "0e1",
    "1",
    "-1",
    "1.0",
    "34",
    "34.0",
    "3.4e1",
    "34.5",
    "57217.0",
    "-57217.0",
    "12345",
    "1e3",
    "1E+2",
    "1e-7",
    "0.00001",
    "1e14",
    "999999999999999.0",
    "1e15",
    "-1e15",
    "1000000000000000",
    "1e16",
    "1e22",
    "1e23",
    "0.1",
    "0.10",
    "0.30000000000000004",
    "0.10000000000000000000001",
    "0.285",
    "1.005",
    "-0.001",
    "-0.005",
    "1000000",
    "1000000.005",
    "1000000.0049",
    "1700000000",
    "1.7e9",
    "1700000000123",
    "9007199254740993",
    "9007199254740993.0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "123456789012345678901234567890",
    "1" * 350,
    "1.7976931348623157e308",
    "1.8e308",
    "1e400",
    "-1e400",
    "1e-400",
    "5e-324",
    "2.5e-5",
    "123456789.125e3",
    "4.35",
    "0.1e1",
)
_OTHERS = ("null", "null", _ABSENT, _ABSENT, "true", "false")
_STRUCTURES = ("{}", "[]", "[null]", '["Ann"]', '{"id": 1}', '{"password": "p"}', "[[[1e400]]]")
_GENERIC = _WORDS + _NUMBERS + _OTHERS + _STRUCTURES

_DATES = (
    '"1990-02-28"',
    '"2000-02-29"',
    '"1990-02-29"',
    '"2013-11-22"',
    '"2013-11-23"',
    '"1906-11-22"',
    '"1905-11-22"',
    '"2026-11-22"',
    '"2026-11-23"',
    '"2026-11-22T23:59:59.999999999Z"',
    '"2026-11-22T23:30:00-01:00"',
    '"1899-12-31"',
    '"1899-12-31T23:30-01:00"',
    '"1900-01-01T00:00+00:01"',
    '"1980/07/04"',
    '"07/04/1980"',
    '"13/04/1980"',
    '"0000-01-01"',
    '"0001-01-01T00:00+23:59"',
    '"9999-12-31T23:59:59-00:01"',
    '"9999-12-31T23:59:59.9999999"',
    '"19800704"',
    '"1980-7-4"',
    '"1980-07-04Z"',
    '"\uff11980-07-04"',
)
_RECENT = (
    '"2026-11-20 09:30:00"',
    '"2026-11-20 09:30:00.000001"',
    '"2026-11-20T09:30:00.123456789Z"',
    '"2026-11-20T11:30:00+02:00"',
    '"2026-11-20  04:00 -0530"',
    '"2026-11-20T09:30 z"',
    '"2026-11-20T09:30"',
    '"2026-11-20"',
    '"2026/11/20"',
    '"11/20/2026"',
    '"2026-11-19 23:59:59.999999"',
    '"2026-11-23T21:00:00Z"',
    '"2026-11-23T21:00:00.000001Z"',
    '"2026-11-23T21:00:00.123456Z"',
    '"2026-11-23T21:00:00.1234569Z"',
    '"2026-11-20T24:00:00"',
    '"2026-11-20T09:60:00"',
    '"2026-11-20T09:30:60"',
    '"2026-11-20T09:30:00."',
    '"2026-11-20T09:30:00.1234567890"',
    '"2026-11-20T09:30+24:00"',
    '"2026-11-20T09:30+23:59"',
    '"2026-11-20T09:30+02"',
    '"2026-11-20t09:30"',
    '"2026-11-20T09:30 UTC"',
    '"2026-02-30 09:30"',
    "1763631000",
    "1763631000.0",
    '"1763631000123"',
    "1763631000123",
    "-1763631000",
    "176363100",
)
# One order time in the far past makes dim_time long, so those are left to fields of no days.
_ANY_TIME = _RECENT + _DATES

_AMOUNTS = (
    '"12.50"',
    '"$1,234.50"',
    '"-$0.004"',
    '"\\u20ac 5"',
    '"+\u00a35.5"',
    '"\u00a5100"',
    '"\uffe55"',
    '"+ 5"',
    '"- 5"',
    '"$  5"',
    '"5 $"',
    '".5"',
    '"5."',
    '"1e3"',
    '"0,001"',
    '"1,23"',
    '"1,000,000"',
    '"1000000.005"',
    '"0.00499999999999999999999999"',
    '"0.005"',
    '"000000000000001"',
    '"0000000000000001"',
    '"1.234,56"',
    "19.99",
    "0.005",
    "2.675",
    "99.995",
    "0.004999999999999999999999999",
    "1000000.01",
)
_WHOLE = (
    '"34"',
    '"+34.000"',
    '"34."',
    '"034"',
    '"000000000000000034"',
    '"0000000000000000034"',
    '"34,0"',
    '"1e2"',
    '"\uff13\uff14"',
    '"- 34"',
    "12",
    "13",
    "120",
    "121",
    "100000",
    "100001",
    "1e5",
    "34.00000000000000000001",
)

_ODD: dict[str, Sequence[str]] = {
    "user.email": (
        '"Ann@Example.COM"',
        '"ann@example"',
        '"a..b@example.com"',
        '"a@-b.com"',
        '"a@b_c.com"',
        '"invalid@example.com"',
        '"\\u212a@example.com"',
        '"\u017f@example.com"',
        '"a@\u00e9.com"',
        '"a@b@c.d"',
        '"' + "a" * 64 + '@x.y"',
        '"' + "a" * 65 + '@x.y"',
        '"a@' + "b" * 63 + '.c"',
        '"a@' + "b" * 64 + '.c"',
        '"' + "a" * 62 + "@" + "b." * 95 + 'c"',
        '"' + "a" * 63 + "@" + "b." * 95 + 'c"',
        '"a`|~{}@b.c"',
    ),
    "user.phone_number": (
        '"(201) 555-0123"',
        '"001-662-613-6801"',
        '"201-555-0123x5569"',
        '"555-0123"',
        '"020 7946 0958"',
        '"+44 20 7946 0958"',
        '"00 44 20 7946 0958"',
        '"030 123456"',
        '"06 698 12345"',
        '"+999 1234 5678"',
        '"\\uff0b12015550123"',
        '"\uff12\uff10\uff11\uff15\uff15\uff15\uff10\uff11\uff12\uff13"',
        '"Invalid 201-555-0123"',
        '"1-800-FLOWERS 1234567"',
        '"tel:+1-201-555-0123;ext=5"',
        '"+1 201\\u200b 555 0123"',
        '"000000000"',
        '"+"',
        "2015550123",
        "2015550123.0",
        '"' + "1" * 260 + '"',
    ),
    "user.sex": ('"m"', '"F"', '"MALE"', '"Non-Binary"', '"x"', '"nonbinary"', '"\uff4d"', '" female "'),
    "user.birth_of_date": _DATES,
    "user.age": _WHOLE,
    "user.create_time": _ANY_TIME,
    "address.country": (
        '"uk"',
        '"England"',
        '"Northern\\u00a0Ireland"',
        '"russia"',
        '"Turkey"',
        '"T\\u00dcRKIYE"',
        '"T\u00dcRK\u0130YE"',
        '"Tu\\u0308rkiye"',
        '"Viet Nam"',
        '"South Korea"',
        '"C\\u00f4te d\'Ivoire"',
        '"de"',
        '"ITA"',
        '"AQ"',
        '"U\\u212a"',
        '"Ru\u017f\u017fia"',
        '"\\ud83c\\uddfa\\ud83c\\uddf8"',
        '"840"',
        "840",
        "840.0",
        '"Freedonia"',
        '"NA"',
    ),
    "address.postal_code": (
        '"57217-8978"',
        '"00501"',
        '"sw1a\\u00a01aa"',
        '"12"',
        '"123"',
        '"1234567890"',
        '"12345678901"',
        '"ABCDE"',
        '"-1234"',
        '"1 - 2"',
        '"INVALID654"',
        '"\u017f1234"',
        '"123\u00df"',
        "57217",
        "57217.0",
        "1e22",
    ),
    "products_sku.price": _AMOUNTS,
    "payment.amount": _AMOUNTS,
    "payment.status": ('"success"', '"Refunded"', '"PENDING"', '"failed"', '"paid"', '"\u017fuccess"'),
    "order.create_time": _RECENT,
    "order.updated_at": _ANY_TIME,
    "order_item.quantity": _WHOLE,
    "order.id": ('"order-0"', '" order-1 "', "0", '"Invalid"', '"invalid_order"'),
    "user.id": ('"user-0"', '"user-1\\t"', "1", '"Invalid user"'),
    "order.user_id": ('"user-0"', '"user-2"', '"USER-0"'),
    "order.payment_id": ('"payment-0"', '"payment-1"'),
    "order_item.order_id": ('"order-0"', '"order-2"'),
    "order_item.products_sku_id": ('"sku-0"', '"sku-1"'),
    "order_item.id": ('"item-0"', '"Invalid"', "0"),
}

_FIELDS = (
    *_ODD,
    "user.username",
    "user.real_name",
    "user.job",
    "user.company",
    "address.address_line",
    "address.city",
    "category.name",
    "subcategory.name",
    "product.id",
    "product.name",
    "products_sku.id",
    "payment.id",
    "payment.provider",
)

_PEOPLE = (
    (
        "Ann Lee",
        "female",
        '"1990-02-28"',
        "36",
        '"United States"',
        '"Springfield"',
        '"12345"',
        '"201-555-0123"',
    ),
    (
        "Bj\u00f6rn \u00c5s",
        "M",
        '"2000-02-29"',
        "null",
        '"Germany"',
        '"K\\u00f6ln"',
        '"50667"',
        '"030 123456"',
    ),
    ("Cem Ay", "x", '"1975/01/31"', "4", '"Turkey"', '"\u0130zmir"', '"35000"', '"+90 232 123 45 67"'),
    ("Dee Roe", "other", '"02/29/1960"', '"66"', '"UK"', '"London"', '"sw1a 1aa"', '"020 7946 0958"'),
    ("Invalid Name", "f", "null", _ABSENT, "null", "null", "null", "null"),
)
_PRODUCTS = (
    ("Treadmill", "Fitness", "Sports", "19.99"),
    ("Kids' Atlas", "Maps", "Books", "0.285"),
    ("Kettle", "null", "Home", '"$1,005.005"'),
    ("Rope", "Fitness", "Sports", "0"),
)
_STATUSES = ('"success"', '"Success"', '"refunded"', '"pending"', '"FAILED"', "null")
_CREATED = ('"2026-11-20 09:30:00"', '"2026-11-20T09:30:00.5Z"', '"2026-11-18"', '"2026-11-21"', "null")
_UPDATED = ('"2026-11-20 09:30:00"', '"2026-11-22 00:00"', '"2026-11-22T01:00:00+01:00"', "null", _ABSENT)

_SPACES = ("", "", "", " ", "\n", "\t ", "\r\n  ")

_FOREIGN = (
    "null",
    "true",
    "0",
    "-0",
    "1e400",
    "1.10",
    "123456789012345678901234567890",
    '""',
    '"record"',
    '"\\ud800"',
    "[]",
    "{}",
    '[{"PassWord": 1}, {"a": {"password": [1e400]}}]',
    '{"password": "p", "user": {"id": null, "Password": "q"}}',
    '{"order": {"id": "order-0"}}',
    '{"user": {"id": "user-0"}, "order": "order-0"}',
    '{"user": {"id": "user-0"}, "order": {"id": "order-0"}}',
    '{"user": {"id": 1e400}, "order": {"id": "INVALID"}, "a\\udc00": "\\u2028"}',
    '{"order": {"id": 1}, "b": 0.10000000000000000000001}',
    '{"user": null, "user": {"id": "user-1"}, "order": {"id": "x", "id": "order-1"}}',
    '{"USER": {"id": "user-0"}, "order": {"\\u0069d": "order-0"}}',
)

Members = dict[str, str]


def _quoted(text: str) -> str:
    return text if text == "null" else f'"{text}"'


def _plausible(customer: int, product: int, order: int, item: int, variant: int) -> Members:
    """A plausible record: JSON texts by `entity.field`."""
    name, sex, birth, age, country, city, postal_code, phone = _PEOPLE[customer % len(_PEOPLE)]
    product_name, subcategory, category, price = _PRODUCTS[product % len(_PRODUCTS)]
    return {
        "user.id": f'"user-{customer}"',
        "user.username": f'"name{customer}"',
        "user.real_name": _quoted(name),
        "user.phone_number": phone,
        "user.sex": _quoted(sex),
        "user.job": f'"Engineer {variant}"',
        "user.company": '"Initech"',
        "user.email": f'"Name{customer}@example.com"',
        "user.password": '"894HaR(N&D"',
        "user.birth_of_date": birth,
        "user.age": age,
        "user.create_time": '"2026-11-01 19:24:33.703631"',
        "address.address_line": f'"{customer} Main St"',
        "address.country": country,
        "address.city": city,
        "address.postal_code": postal_code,
        "category.name": _quoted(category),
        "subcategory.name": _quoted(subcategory),
        "product.id": f'"product-{product}"',
        "product.name": _quoted(product_name),
        "products_sku.id": f'"sku-{product}"',
        "products_sku.price": price,
        "payment.id": f'"payment-{order}"',
        "payment.amount": price,
        "payment.provider": '"VISA 13 digit"',
        "payment.status": _STATUSES[variant % len(_STATUSES)],
        "order.id": f'"order-{order}"',
        "order.user_id": f'"user-{customer}"',
        "order.payment_id": f'"payment-{order}"',
        "order.create_time": _CREATED[(variant // 2) % len(_CREATED)],
        "order.updated_at": _UPDATED[(variant // 3) % len(_UPDATED)],
        "order_item.id": f'"item-{item}"' if item else "null",
        "order_item.order_id": f'"order-{order}"',
        "order_item.products_sku_id": f'"sku-{product}"',
        "order_item.quantity": str(1 + variant % 4),
        "wishlist.id": f'"wish-{variant}"',
    }


def _record_text(
    members: Members, whole: Mapping[str, str] | None = None, space: str = "", repeated: str = ""
) -> str:
    """A record's JSON text; `whole` replaces entities, `repeated` is a field or entity written twice."""
    entities: dict[str, list[str]] = {}
    for path, value in members.items():
        entity, _, name = path.partition(".")
        written = entities.setdefault(entity, [])
        if path == repeated:
            written.append(f'"{name}":{space}"written over"')
        if value != _ABSENT:
            written.append(f'"{name}":{space}{value}')
    texts = {entity: "{" + f",{space}".join(written) + "}" for entity, written in entities.items()}
    pairs = [(entity, text) for entity, text in (texts | (whole or {})).items() if text != _ABSENT]
    if repeated in texts:
        pairs.insert(0, (repeated, '{"id":"written over"}'))
    return "{" + space + f",{space}".join(f'"{entity}"{space}:{text}' for entity, text in pairs) + "}"


def _escaped(text: str) -> str:
    """A JSON string that spells some characters as escapes, lone surrogates always."""
    spelled = []
    for character in text:
        code = ord(character)
        if code < 0x20 or 0xD800 <= code <= 0xDFFF or character in '"\\' or code in (0xA0, 0x2028, 0xE9):
            spelled.append(f"\\u{code:04x}" if code % 2 else f"\\u{code:04X}")
        else:
            spelled.append(character)
    return '"' + "".join(spelled) + '"'


_ALPHABET = (
    'aAzZiI\u0131\u0130\u017f\u212a09\uff11\u0663 .,:;+-/@|#$%"\\\u20ac\u00a3\t\n\x00\x1f\x7f\x85\xa0\xad'
    "\u0301\u0308\u0323\u1161\u1100\u200b\u200d\u2003\u2028\u2029\u202f\u3000\ufeff\ufffd\ue000"
    "\u00e9\u00df\ufb01\u212b\u2126\ud800\udc00\udbff\U0001f600\U0001d15e\u0958\u09be\u09c7"
)

odd_texts = st.text(alphabet=st.sampled_from(_ALPHABET), max_size=12).map(_escaped)
"""JSON strings of characters that normalising, squashing, case or digits may stumble over."""

numbers = st.one_of(
    st.sampled_from(_NUMBERS),
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-2, 1_000_001, places=4).map(str),
    st.builds(
        "{}{}e{}".format, st.integers(-999, 999), st.sampled_from(("", ".0", ".25")), st.integers(-30, 30)
    ),
)
"""JSON number literals of every spelling."""


def _two_digits(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map("{:02}".format)


recent_times = st.builds(
    '"2026-11-{}{}{}:{}{}{}{}"'.format,
    _two_digits(17, 24),
    st.sampled_from(("T", " ", "  ", "t")),
    _two_digits(0, 24),
    _two_digits(0, 60),
    st.sampled_from(("", ":00", ":59", ":59.9", ":59.999999", ":59.9999999", ":60", ":07.123456789")),
    st.sampled_from(("", "", " ")),
    st.sampled_from(("", "", "Z", "z", "+00:00", "-05:30", "+1400", "+23:59", "-23:60", "+24:00", "+01")),
)
"""JSON strings around AS_OFS, most of them instants; all within days, so that dim_time stays short."""


def _weighted(*choices: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """As one_of, but a strategy that is named more than once is chosen more often."""
    return st.sampled_from(choices).flatmap(lambda choice: choice)


def values(path: str) -> st.SearchStrategy[str]:
    """JSON texts (or nothing, for an absent member) to stand at `entity.field`."""
    own = st.sampled_from(_ODD.get(path, _WORDS))
    choices = [own, own, st.sampled_from(_GENERIC), odd_texts, numbers]
    if path in ("order.create_time", "order.updated_at", "user.create_time", "user.birth_of_date"):
        # Random numbers of ten digits could be order times centuries apart.
        choices[-1] = recent_times
    return _weighted(*choices)


_CHANGE_OF = {path: values(path).map(lambda value, path=path: (path, value)) for path in _FIELDS}
_changes = st.sampled_from(_FIELDS).flatmap(_CHANGE_OF.__getitem__)
_whole_entities = st.dictionaries(
    st.sampled_from(_ENTITIES), st.sampled_from((_ABSENT, *_STRUCTURES, '"text"', "0", "null")), max_size=2
)
_plausible_members = st.builds(
    _plausible,
    customer=st.integers(0, 5),
    product=st.integers(0, 4),
    order=st.integers(0, 11),
    item=st.integers(0, 3),
    variant=st.integers(0, 29),
)


@st.composite
def _changed_records(draw: st.DrawFn) -> str:
    """A plausible record with a few members replaced."""
    members = draw(_plausible_members)
    members |= draw(st.lists(_changes, max_size=4))
    if not draw(st.integers(0, 7)):
        return _record_text(
            members,
            draw(_whole_entities),
            draw(st.sampled_from(_SPACES)),
            draw(st.sampled_from((*_FIELDS, *_ENTITIES))),
        )
    return _record_text(members)


def _jumbled(seed: str) -> str:
    """A record in which nothing can be relied on; it takes no draw, so it can't shrink."""
    chosen = random.Random(seed)
    members = _plausible(*(chosen.randrange(6) for _ in range(5)))
    share = chosen.choice((0.1, 0.4, 0.8))
    for path in _FIELDS:
        # Most records are to be accepted.
        if chosen.random() < (share / 4 if path in ("order.id", "user.id") else share):
            own = _ODD.get(path, _WORDS)
            members[path] = chosen.choice(chosen.choice((own, own, _GENERIC)))
    items = list(members.items())
    chosen.shuffle(items)
    whole = {chosen.choice(_ENTITIES): chosen.choice(_STRUCTURES)} if chosen.random() < 0.1 else {}
    return _record_text(dict(items), whole, chosen.choice(_SPACES))


records = _weighted(
    _plausible_members.map(_record_text),
    _changed_records(),
    _changed_records(),
    _changed_records(),
    st.sampled_from(_FOREIGN),
)
"""JSON texts of records, most of them objects that are accepted."""

# Hypothesis draws the same few numbers again and again, so that one seed for each jumbled record would
# make few different ones. The place in the part makes them differ.
_records_or_jumbles = _weighted(*[records] * 5, *[st.none()] * 3)


def _part(texts: Sequence[str | None], space: str, mark: bool, seed: int = 0) -> bytes:
    """A part; a None stands for a jumbled record."""
    written = [_jumbled(f"{seed} {place}") if text is None else text for place, text in enumerate(texts)]
    body = f"{space}[{space}" + f"{space},{space}".join(written) + f"{space}]{space}"
    return (BYTE_ORDER_MARK if mark else b"") + body.encode("utf-8")


def _parts(max_records: int) -> st.SearchStrategy[bytes]:
    return st.builds(
        _part,
        st.lists(_records_or_jumbles, max_size=max_records)
        | st.lists(_records_or_jumbles, min_size=max_records // 2, max_size=max_records),
        st.sampled_from(_SPACES),
        st.integers(0, 5).map(lambda n: n == 0),
        st.integers(0, 2**24 - 1),
    )


def datasets(max_parts: int = 4, max_records_per_part: int = 15) -> st.SearchStrategy[Dataset]:
    """Datasets of at least one part, by part name in no order. Parts may be empty."""
    return st.dictionaries(
        st.sampled_from(PART_NAMES), _parts(max_records_per_part), min_size=1, max_size=max_parts
    )


as_ofs = st.sampled_from(AS_OFS)
"""Times at which a job may have been submitted, the last day of year 9999 included."""


@dataclass(frozen=True)
class BrokenDataset:
    """A dataset that must fail, and the part that must be named."""

    parts: Dataset
    first_broken: str


_BROKEN_RECORDS = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"nul",
    b"True",
    b"01",
    b"-",
    b"+1",
    b"1.",
    b".5",
    b"1e",
    b"0x10",
    b"'a'",
    b'"a\nb"',
    b'"a\x00"',
    b'"\\x41"',
    b'"\\u12g4"',
    b'"\\u 041"',
    b'"\\',
    b'"',
    b'"\xff"',
    b'"\xc0\x80"',
    b'"\xed\xa0\x80"',
    b'"\xf4\x90\x80\x80"',
    b'"\xe2\x82"',
    b"\xc3\xa9",
    b"\xc2\xa0",
    b"\x0c1",
    b'{"a" 1}',
    b'{"a": 1,}',
    b"{a: 1}",
    b'{"a": NaN}',
    b'{"user": {"id": "u", "wishlist": [1, NaN]}}',
    b'{"user": {"password": "\xff"}}',
    b'{"unread": {"\xff": 01}}',
    b"{1: 2}",
    b"{",
    b"]",
    b"}",
    b"[1,]",
    b"1 2",
    b",",
    b"/* none */ 1",
    b"# none",
)
_BROKEN_WHOLES = (
    b"",
    b" \n",
    BYTE_ORDER_MARK,
    BYTE_ORDER_MARK * 2 + b"[]",
    b"{}",
    b'{"user": {"id": 1}}',
    b"null",
    b"0",
    b'"[]"',
    b"[",
    b"[]]",
    b"[][]",
    b"[]\x00",
    b"\x00[]",
    b"[],",
    b"[{}",
    b"[{}}",
    b"\xff",
    "[]".encode("utf-16"),
    "[1]".encode("utf-32-le"),
)


def _broken_within(texts: Sequence[str], fragment: bytes, place: int) -> bytes:
    pieces = [text.encode("utf-8") for text in texts]
    pieces.insert(place % (len(pieces) + 1), fragment)
    return b"[" + b", ".join(pieces) + b"]"


def _cut_short(texts: Sequence[str], length: int) -> bytes:
    """A part that ends too early, perhaps within a character."""
    whole = _part([*texts, '"\u00e9"'], "", mark=False)
    return whole[: length % len(whole)]


_few_records = st.lists(records, max_size=4)

broken_parts = st.one_of(
    st.builds(_broken_within, _few_records, st.sampled_from(_BROKEN_RECORDS), st.integers(0, 4)),
    st.builds(_cut_short, _few_records, st.integers(0, 5000)),
    st.sampled_from(_BROKEN_WHOLES),
)
"""Parts that are not a JSON array in well-formed UTF-8."""


@st.composite
def broken_datasets(draw: st.DrawFn) -> BrokenDataset:
    """Datasets with one or two broken parts among good ones."""
    parts = draw(datasets(max_parts=3, max_records_per_part=3))
    broken = draw(st.dictionaries(st.sampled_from(PART_NAMES), broken_parts, min_size=1, max_size=2))
    return BrokenDataset({**parts, **broken}, min(broken, key=lambda name: name.encode("utf-8")))
