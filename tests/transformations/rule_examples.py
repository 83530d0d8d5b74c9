"""What each rule of the data contract makes of one value, for any engine to be tried on.

The expected values are read from data.md, not taken from a run.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

ABSENT = "absent"
"""In place of a JSON text: the member is not there at all."""

AS_OF = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
PART = "examples.json"

_MISSING = "missing"
_INVALID = "invalid"

_PLAIN_FIELDS = {
    "user.username": '"huffmanlisa"',
    "user.real_name": '"Jaime Villarreal"',
    "user.phone_number": '"(201) 555-0123"',
    "user.sex": '"male"',
    "user.job": '"Engineer"',
    "user.company": '"Initech"',
    "user.email": '"lisa@example.com"',
    "user.password": '"894HaR(N&D"',
    "user.birth_of_date": '"1990-02-28"',
    "user.age": "36",
    "user.create_time": '"2026-11-20 09:00:00"',
    "address.address_line": '"11866 Sharp Passage"',
    "address.country": '"United States"',
    "address.city": '"Springfield"',
    "address.postal_code": '"12345"',
    "category.name": '"Sports"',
    "subcategory.name": '"Fitness Sports"',
    "product.id": '"product-1"',
    "product.name": '"Treadmill"',
    "products_sku.id": '"sku-1"',
    "products_sku.price": "19.99",
    "payment.id": '"payment-1"',
    "payment.amount": "39.98",
    "payment.provider": '"VISA"',
    "payment.status": '"success"',
    "order.payment_id": '"payment-1"',
    "order.create_time": '"2026-11-20 10:00:00"',
    "order.updated_at": '"2026-11-21 10:00:00"',
    "order_item.products_sku_id": '"sku-1"',
    "order_item.quantity": "2",
}


@dataclass(frozen=True)
class Example:
    """One value of Bronze, and what comes of it.

    Attributes:
        column: of Silver; or one of the `mismatched_…` issues, which have no value.
        source: the field that is given, as `entity.field`, or an entity.
        json: the field's JSON text, or ABSENT.
        value: what the column then holds. None for a key means that the record is in quarantine.
        issue: the issue about the column, or the reason of the quarantine, if any.
        given: further fields or entities that differ from a plain record, as JSON text or ABSENT.
    """

    column: str
    source: str
    json: str
    value: Any
    issue: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    as_of: datetime = AS_OF

    @property
    def changes(self) -> dict[str, str]:
        """Everything in which the record differs from a plain one."""
        return {**self.given, self.source: self.json}

    def __str__(self) -> str:
        return f"{self.column}:{self.source}={self.json if len(self.json) <= 40 else self.json[:40] + '~'}"


def datasets(examples: Iterable[Example]) -> Iterator[tuple[datetime, list[Example], dict[str, bytes]]]:
    """The examples of each as_of with a dataset of one part; an example's place is its source_row."""
    by_time = defaultdict(list)
    for example in examples:
        by_time[example.as_of].append(example)
    for as_of, group in by_time.items():
        records = [record_text(place, example.changes) for place, example in enumerate(group)]
        yield as_of, group, {PART: part_of(records)}


def part_of(records: Iterable[str]) -> bytes:
    """A part that holds records, given as JSON texts."""
    return ("[" + ",\n".join(records) + "]").encode()


def record_text(place: int, changes: Mapping[str, str]) -> str:
    """A plain record with changed fields or entities; its order and order item are those of its place."""
    fields = {
        **_PLAIN_FIELDS,
        "user.id": '"user-1"',
        "order.id": f'"order-{place}"',
        "order.user_id": '"user-1"',
        "order_item.id": f'"item-{place}"',
        "order_item.order_id": f'"order-{place}"',
        **changes,
    }
    entities = defaultdict(list)
    whole = {}
    for path, json in fields.items():
        entity, dot, name = path.partition(".")
        if not dot:
            whole[entity] = json
        elif json != ABSENT:
            entities[entity].append(f'"{name}": {json}')
    texts = {entity: "{" + ", ".join(members) + "}" for entity, members in entities.items()} | whole
    return "{" + ", ".join(f'"{entity}": {text}' for entity, text in texts.items() if text != ABSENT) + "}"


def observed(
    example: Example, place: int, silver: Mapping[int, Mapping], quarantine: Mapping[int, Mapping]
) -> tuple[Any, str | None]:
    """What an engine made of an example: value and issue, from its rows by source_row."""
    if place in quarantine:
        reasons = [reason for reason in quarantine[place]["reasons"] if reason.endswith(example.column)]
        return None, reasons[0] if reasons else "quarantined"
    row = silver[place]
    if example.column.startswith("mismatched_"):
        return None, example.column if example.column in row["issues"] else None
    codes = {f"{_MISSING}_{example.column}", f"{_INVALID}_{example.column}"}
    return row[example.column], next((issue for issue in row["issues"] if issue in codes), None)


Engine = Callable[[Mapping[str, bytes], datetime], tuple[Iterable[Mapping], Iterable[Mapping]]]
"""Takes a dataset and its as_of; gives the rows of Silver and of the quarantine."""


def disagreements(examples: Iterable[Example], engine: Engine) -> list[str]:
    """In words, each example of which an engine makes something else."""
    found = []
    for as_of, group, parts in datasets(examples):
        silver, quarantine = ({row["source_row"]: row for row in rows} for rows in engine(parts, as_of))
        for place, example in enumerate(group):
            have, want = observed(example, place, silver, quarantine), (example.value, example.issue)
            if have != want:
                found.append(f"{example}: {have}, expected {want}")
    return found


Row = tuple[str, Any] | tuple[str, Any, str]


def _of(
    column: str,
    source: str,
    *rows: Row,
    given: Mapping[str, str] | None = None,
    as_of: datetime = AS_OF,
) -> list[Example]:
    """Examples of one column: JSON text, value, and `missing` or `invalid` when there is an issue."""
    return [
        Example(
            column=column,
            source=source,
            json=row[0],
            value=row[1],
            issue=f"{row[2]}_{column}" if len(row) == 3 else None,
            given=given or {},
            as_of=as_of,
        )
        for row in rows
    ]


def _invalid(column: str, source: str, *texts: str, given: Mapping[str, str] | None = None) -> list[Example]:
    """Texts that are invalid in a checked column."""
    return _of(column, source, *((text, None, _INVALID) for text in texts), given=given)


def _missing(column: str, source: str, *texts: str, given: Mapping[str, str] | None = None) -> list[Example]:
    """Texts that are missing in a checked column."""
    return _of(column, source, *((text, None, _MISSING) for text in texts), given=given)


def _nothing(
    column: str,
    source: str,
    *texts: str,
    given: Mapping[str, str] | None = None,
    as_of: datetime = AS_OF,
) -> list[Example]:
    """Texts of which nothing comes, in a column that is not checked."""
    return _of(column, source, *((text, None) for text in texts), given=given, as_of=as_of)


_NULL_WORDS = (
    '""',
    '"   "',
    '"null"',
    '"NULL"',
    '"None"',
    '"n/a"',
    '"N/A"',
    '"#N/A"',
    '"NaN"',
    '"Undefined"',
    '"-"',
    '"--"',
    '" \\t-- \\u00a0"',
    "null",
    ABSENT,
)

SQUASH = [
    *_of(
        "username",
        "user.username",
        ('"  two   words  "', "two words"),
        ('"a\\tb"', "a b"),
        ('"a\\r\\n\\fb"', "a b"),
        ('"a\\u0000b"', "a b"),
        ('"a\\u007fb"', "a b"),
        ('"\\u0085a\\u009f"', "a"),
        ('"a\\u00a0\\u2003\\u3000b"', "a b"),
        ('"\\u2028a\\u2029b"', "a b"),
        ('"a\u202fb"', "a b"),
        ('"a\u1680b"', "a b"),
        ('"a\\u200bb"', "a\u200bb"),
        ('"\\u200b"', "\u200b"),
        ('"\\ufeffa"', "\ufeffa"),
        ('"a\\u00adb"', "a\u00adb"),
        ('"\\u2060 a"', "\u2060 a"),
        ('"\\u180ea"', "\u180ea"),
        ('"e\\u0301"', "\u00e9"),
        ('"\\u212b"', "\u00c5"),
        ('"q\\u0307\\u0323"', "q\u0323\u0307"),
        ('"\\u1100\\u1161\\u11a8"', "\uac01"),
        ('"\\ufb01"', "\ufb01"),
        ('"\\uff21\\uff11"', "\uff21\uff11"),
        ('" \\u0301a"', "\u0301a"),
        ('"a \\u0301"', "a \u0301"),
        ('"\\ue000"', "\ue000"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\U0001f600"', "\U0001f600"),
        ('"\\ud800x"', "\ufffdx"),
        ('"x\\udc00\\ud800"', "x\ufffd\ufffd"),
        ('"\\ud83d\\ud83d\\ude00"', "\ufffd\U0001f600"),
        ('"\\"\\\\\\/"', '"\\/'),
        ('"{\\"a\\": 1}"', '{"a": 1}'),
    ),
    *_missing("username", "user.username", '"\\u2003"', '"\\u0000\\u001f\\u2028"'),
]

SCALARS = [
    *_of(
        "full_name",
        "user.real_name",
        ("42", "42"),
        ("-5", "-5"),
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0e5", "0"),
        ("57217.0", "57217"),
        ("-57217.0", "-57217"),
        ("57217.5", "57217.5"),
        ("57217.50", "57217.5"),
        ("1e3", "1000"),
        ("1E+2", "100"),
        ("12.5e1", "125"),
        ("1e14", "100000000000000"),
        ("999999999999999.0", "999999999999999"),
        ("-999999999999999.0", "-999999999999999"),
        ("1000000000000000.0", "1000000000000000.0"),
        ("-1e15", "-1000000000000000.0"),
        ("1000000000000000", "1000000000000000"),
        ("1e16", "1e+16"),
        ("1e22", "1e+22"),
        ("123456789012345.6", "123456789012345.6"),
        ("0.1", "0.1"),
        ("0.10000000000000000000001", "0.1"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("1e-7", "1e-07"),
        ("5e-324", "5e-324"),
        ("1e-400", "0"),
        ("-1e-400", "0"),
        ("9007199254740993", "9007199254740993"),
        ("9007199254740993.0", "9007199254740992.0"),
        ("18446744073709551616", "18446744073709551616"),
        ("-123456789012345678901234567890", "-123456789012345678901234567890"),
        ("7" * 400, "7" * 400),
        ("1.7976931348623158e308", "1.7976931348623157e+308"),
        ("true", "true"),
        ("false", "false"),
    ),
    *_invalid(
        "full_name",
        "user.real_name",
        "1e400",
        "-1e400",
        "1.8e308",
        "9" * 400 + ".0",
        "{}",
        "[]",
        '["Jaime"]',
        '{"text": "Jaime"}',
    ),
]

TEXTS = [
    *_missing("job", "user.job", *_NULL_WORDS),
    *_of(
        "job",
        "user.job",
        ('"---"', "---"),
        ('"nil"', "nil"),
        ('"null."', "null."),
        ('"n / a"', "n / a"),
        ('"nul\\u200bl"', "nul\u200bl"),
        ('"not invalid"', "not invalid"),
        ('"\\u200binvalid"', "\u200binvalid"),
        ('"\\u0131nvalid"', "\u0131nvalid"),
        ('"\\u0130nvalid"', "\u0130nvalid"),
        ('"\\uff49nvalid"', "\uff49nvalid"),
        ('"Inval\\u0301id"', "Inva\u013aid"),
    ),
    *_invalid("job", "user.job", '"invalid"', '"Invalid Job 87"', '"INVALIDated"', '" \\u00a0iNvAlId"'),
    *_invalid("company", "user.company", '"Invalid Company"', "[1]"),
    *_of("company", "user.company", ('"Smith & S\\u00f6hne"', "Smith & S\u00f6hne"), ("1.0", "1")),
    *_missing("company", "user.company", "null"),
    *_of("address_line", "address.address_line", ('"1  Main St"', "1 Main St"), ("17", "17")),
    *_invalid("address_line", "address.address_line", '"Invalid Address 721"', "{}"),
    *_missing("address_line", "address.address_line", '"undefined"'),
    *_of("city", "address.city", ('"S\\u00e3o Paulo"', "S\u00e3o Paulo"), ('"a|b"', "a|b")),
    *_invalid("city", "address.city", '"invalid"', "[]"),
    *_missing("city", "address.city", '"nan"', ABSENT),
    *_of("product_name", "product.name", ('"Kit 5233"', "Kit 5233"), ("5233", "5233")),
    *_invalid("product_name", "product.name", '"Invalid product"', "1e999"),
    *_missing("product_name", "product.name", '" "'),
    *_of("category_name", "category.name", ('"Kids\' Games"', "Kids' Games")),
    *_invalid("category_name", "category.name", '"INVALID"'),
    *_missing("category_name", "category.name", '"--"'),
    *_of("subcategory_name", "subcategory.name", ('"Fitness"', "Fitness"), ("false", "false")),
    *_nothing("subcategory_name", "subcategory.name", '"Invalid"', "null", ABSENT, "[]", '"n/a"'),
    *_of("payment_provider", "payment.provider", ('"JCB 16 digit"', "JCB 16 digit"), ("16", "16")),
    *_nothing("payment_provider", "payment.provider", '"invalid provider"', "{}", ABSENT),
]

IDS = [
    *_of(
        "order_item_id",
        "order_item.id",
        ('" item 7 "', "item 7"),
        ('"Invalid-7"', "Invalid-7"),
        ("7", "7"),
        ("7.0", "7"),
        ("7.25", "7.25"),
        ("true", "true"),
        ("12345678901234567890123", "12345678901234567890123"),
    ),
    *_nothing("order_item_id", "order_item.id", *_NULL_WORDS, "[]", "{}", "1e400"),
    *_of("product_id", "product.id", ('"p"', "p"), ("7e0", "7"), ('"INVALID"', "INVALID")),
    *_nothing("product_id", "product.id", "[7]", '"null"', ABSENT),
    *_of("sku_id", "products_sku.id", ('"7fb-6eb"', "7fb-6eb"), ("-0", "0")),
    *_nothing("sku_id", "products_sku.id", '{"id": 7}', "null"),
    *_of("payment_id", "payment.id", ('"pay"', "pay"), ("false", "false")),
    *_nothing("payment_id", "payment.id", '"None"', "-1e400"),
]

KEYS = [
    *_of(
        "order_id",
        "order.id",
        ('"\\torder 7\\n"', "order 7"),
        ("17.0", "17"),
        ("true", "true"),
        ('"\\u0131nvalid"', "\u0131nvalid"),
        ('"an invalid one"', "an invalid one"),
    ),
    *_missing(
        "order_id",
        "order.id",
        *_NULL_WORDS,
        '"invalid"',
        '"Invalid_order"',
        '" INVALID-7"',
        "[]",
        "{}",
        "1e400",
    ),
    *_of("user_id", "user.id", ('"u"', "u"), ("0", "0"), ("1e-7", "1e-07")),
    *_missing("user_id", "user.id", "null", '"#n/a"', '"invalid"', '["u"]', "2e308"),
]

EMAILS = [
    *_of(
        "email",
        "user.email",
        ('" Lisa@Example.COM "', "lisa@example.com"),
        ('"invalid@example.com"', "invalid@example.com"),
        ('"a@b.c"', "a@b.c"),
        ('"a@1.2"', "a@1.2"),
        ('"a.b.c@d.e-f.g"', "a.b.c@d.e-f.g"),
        ('"!#$%&\'*+/=?^_`{|}~-@x.y"', "!#$%&'*+/=?^_`{|}~-@x.y"),
        ('"0@x--y.z"', "0@x--y.z"),
        (f'"{"a" * 64}@x.y"', "a" * 64 + "@x.y"),
        (f'"a@{"b" * 63}.c"', "a@" + "b" * 63 + ".c"),
        (f'"{"a" * 62}@{"b." * 95}c"', "a" * 62 + "@" + "b." * 95 + "c"),
    ),
    *_invalid(
        "email",
        "user.email",
        '"lisa"',
        '"lisa@example"',
        '"lisa@@example.com"',
        '"a@b@example.com"',
        '"@example.com"',
        '"lisa@"',
        '"lisa@.com"',
        '"lisa@example."',
        '"lisa@example..com"',
        '".lisa@example.com"',
        '"lisa.@example.com"',
        '"li..sa@example.com"',
        '"li sa@example.com"',
        '"li\\u200bsa@example.com"',
        '"l\\u00edsa@example.com"',
        '"\\u212aate@ex\\u00e4mple.com"',
        '"\\u017fam@example.com"',
        '"lisa@-example.com"',
        '"lisa@example-.com"',
        '"lisa@exam_ple.com"',
        '"lisa@[127.0.0.1]"',
        '"\\"lisa\\"@example.com"',
        '"Lisa <lisa@example.com>"',
        '"lisa@example.com,"',
        '"Invalid Email 12"',
        f'"{"a" * 65}@x.y"',
        f'"a@{"b" * 64}.c"',
        f'"{"a" * 63}@{"b." * 95}c"',
        "42",
        "true",
        "{}",
    ),
    *_of("email", "user.email", ('"\\u212aate@example.com"', "kate@example.com")),
    *_missing("email", "user.email", '"N/A"', "null", ABSENT),
]

_IN_BRITAIN = {"address.country": '"UK"'}
PHONES = [
    *_of(
        "phone",
        "user.phone_number",
        ('"201-555-0123"', "+12015550123"),
        ('"201.555.0123"', "+12015550123"),
        ('" (201)\\u00a0555 0123 "', "+12015550123"),
        ('"1 201 555 0123"', "+12015550123"),
        ('"+1-201-555-0123"', "+12015550123"),
        ('"001-662-613-6801"', "+16626136801"),
        ('"+44 20 7946 0958"', "+442079460958"),
        ('"00 44 20 7946 0958"', "+442079460958"),
        ('"201-555-0123x5569"', "+12015550123"),
        ('"+1 (201) 555-0123 ext. 89"', "+12015550123"),
        ('"\\uff0b12015550123"', "+12015550123"),
        ("2015550123", "+12015550123"),
        ("2015550123.0", "+12015550123"),
        ("12015550123", "+12015550123"),
    ),
    *_invalid(
        "phone",
        "user.phone_number",
        '"555-0123"',
        '"201-555-012"',
        '"201-555-01234"',
        '"+1 201 555 012"',
        '"123456"',
        '"+999 1234 5678"',
        '"Invalid 201-555-0123"',
        '"INVALID"',
        '"call me"',
        '"\\u0662\\u0660\\u0661\\u0665\\u0665\\u0665\\u0660\\u0661\\u0662\\u0663"',
        '"\\uff12\\uff10\\uff11\\uff15\\uff15\\uff15\\uff10\\uff11\\uff12\\uff13"',
        '"123456789012345678901234567890"',
        "-1",
        "true",
        "[2015550123]",
        "1e400",
    ),
    *_missing("phone", "user.phone_number", '"-"', "null", ABSENT),
    *_of("phone", "user.phone_number", ('"020 7946 0958"', "+442079460958"), given=_IN_BRITAIN),
    *_of("phone", "user.phone_number", ('"+1 201 555 0123"', "+12015550123"), given=_IN_BRITAIN),
    *_of(
        "phone",
        "user.phone_number",
        ('"030 123456"', "+4930123456"),
        given={"address.country": '"germany"'},
    ),
    *_of(
        "phone",
        "user.phone_number",
        ('"06 698 12345"', "+390669812345"),
        given={"address.country": '"ITA"'},
    ),
    *_of("phone", "user.phone_number", ('"201-555-0123"', "+12015550123"), given={"address.country": '"AQ"'}),
    *_of(
        "phone",
        "user.phone_number",
        ('"201-555-0123"', "+12015550123"),
        given={"address.country": '"Freedonia"'},
    ),
    *_of("phone", "user.phone_number", ('"201-555-0123"', "+12015550123"), given={"address": ABSENT}),
]

COUNTRIES = [
    *_of(
        "country",
        "address.country",
        ('"United States"', "United States"),
        ('" united  STATES "', "United States"),
        ('"us"', "United States"),
        ('"USA"', "United States"),
        ('"840"', "United States"),
        ("840", "United States"),
        ("840.0", "United States"),
        ('"United States of America"', "United States"),
        ('"\\ud83c\\uddfa\\ud83c\\uddf8"', "United States"),
        ('"uk"', "United Kingdom"),
        ('"U\\u212a"', "United Kingdom"),
        ('"England"', "United Kingdom"),
        ('"SCOTLAND"', "United Kingdom"),
        ('"wales"', "United Kingdom"),
        ('"Northern\\u00a0Ireland"', "United Kingdom"),
        ('"Great Britain"', "United Kingdom"),
        ('"Russia"', "Russian Federation"),
        ('"turkey"', "T\u00fcrkiye"),
        ('"Tu\\u0308rkiye"', "T\u00fcrkiye"),
        ('"T\\u00dcRKIYE"', "T\u00fcrkiye"),
        ('"ivory coast"', "C\u00f4te d'Ivoire"),
        ('"Vietnam"', "Vietnam"),
        ('"Viet Nam"', "Vietnam"),
        ('"Bolivia"', "Bolivia"),
        ('"TW"', "Taiwan"),
        ('"Czech Republic"', "Czechia"),
        ('"NA"', "Namibia"),
    ),
    *_invalid(
        "country",
        "address.country",
        '"Freedonia"',
        '"Invalid Country"',
        '"Ru\\u017f\\u017fia"',
        '"\\uff35\\uff33"',
        '"U.S."',
        '"US-CA"',
        '"T\\u00dcRK\\u0130YE"',
        "1",
        "true",
        "{}",
        '["US"]',
    ),
    *_missing("country", "address.country", '"n/a"', '"NaN"', "null", ABSENT),
    *_of(
        "country_code",
        "address.country",
        ('"Wales"', "GB"),
        ('"RUSSIA"', "RU"),
        ('"Turkey"', "TR"),
        ('"Ivory Coast"', "CI"),
        ('"deu"', "DE"),
        ('"276"', "DE"),
    ),
    *_nothing("country_code", "address.country", '"Freedonia"', "null", "[]"),
]

POSTAL_CODES = [
    *_of(
        "postal_code",
        "address.postal_code",
        ('"57217-8978"', "57217-8978"),
        ('"00501"', "00501"),
        ("57217", "57217"),
        ("57217.0", "57217"),
        ("1e3", "1000"),
        ('"sw1a 1aa"', "SW1A 1AA"),
        ('"SW1A\\u00a0 1AA"', "SW1A 1AA"),
        ('"a1b"', "A1B"),
        ('"1234567890"', "1234567890"),
        ('"1 - 2"', "1 - 2"),
        ('"B-INVALID1"', "B-INVALID1"),
    ),
    *_invalid(
        "postal_code",
        "address.postal_code",
        '"12"',
        '"1"',
        '"12345678901"',
        '"ABCDE"',
        '"-1234"',
        '"1234-"',
        '"75_001"',
        '"1.5e3"',
        '"INVALID654"',
        '"invalid1"',
        '"\\uff11\\uff12\\uff13\\uff14"',
        '"1234\\u00e9"',
        '"\\u017f1234"',
        '"12\\u200b345"',
        '"123\\u00df"',
        "-1234",
        "1234.5",
        "1e22",
        "123456789012",
        "true",
        "[]",
    ),
    *_missing("postal_code", "address.postal_code", '"--"', "null", ABSENT),
]

WORDS = [
    *_of(
        "sex",
        "user.sex",
        ('"m"', "male"),
        ('"M"', "male"),
        ('" MALE "', "male"),
        ('"f"', "female"),
        ('"Female"', "female"),
        ('"other"', "other"),
        ('"X"', "other"),
        ('"Non-Binary"', "other"),
    ),
    *_invalid("sex", "user.sex", '"nonbinary"', '"unknown"', '"mal"', '"\\uff4d"', "1", "true", "[]", '"m."'),
    *_missing("sex", "user.sex", "null", '"N/A"', ABSENT),
    *_of(
        "payment_status",
        "payment.status",
        ('"success"', "success"),
        ('"Refunded"', "refunded"),
        ('"FAILED"', "failed"),
        ('"\\tpending\\n"', "pending"),
    ),
    *_invalid(
        "payment_status", "payment.status", '"\\u017fuccess"', '"paid"', '"Invalid"', "0", "false", "{}"
    ),
    *_missing("payment_status", "payment.status", "null", '"none"', ABSENT),
]

_NO_BIRTH = {"user.birth_of_date": ABSENT}
INTEGERS = [
    *_of(
        "age",
        "user.age",
        ("34", 34),
        ("13", 13),
        ("120", 120),
        ("34.0", 34),
        ("3.4e1", 34),
        ("340e-1", 34),
        ("34.00000000000000000001", 34),
        ('"34"', 34),
        ('" +34 "', 34),
        ('"034"', 34),
        ('"34.0"', 34),
        ('"34.000"', 34),
        ('"000000000000000034"', 34),
        given=_NO_BIRTH,
    ),
    *_invalid(
        "age",
        "user.age",
        "12",
        "121",
        "-34",
        "0",
        "-0",
        "34.5",
        "1e400",
        "1e-400",
        "1e300",
        "99999999999999999999999999",
        "-99999999999999999999999999",
        '"12"',
        '"121"',
        '"34.5"',
        '"34."',
        '"34,0"',
        '"3 4"',
        '"1e2"',
        '"-34"',
        '"+ 34"',
        '"0x22"',
        '"0000000000000000034"',
        '"\\uff13\\uff14"',
        '"\\u0663\\u0664"',
        '"34 years"',
        '"Invalid"',
        "true",
        "[34]",
        "{}",
        given=_NO_BIRTH,
    ),
    *_missing("age", "user.age", "null", '""', '"NaN"', '"-"', ABSENT, given=_NO_BIRTH),
    *_of(
        "quantity",
        "order_item.quantity",
        ("1", 1),
        ("100000", 100_000),
        ("1e5", 100_000),
        ('"100000.0"', 100_000),
        ('"+0100000"', 100_000),
        ("7.0", 7),
    ),
    *_invalid(
        "quantity", "order_item.quantity", "0", "-1", "100001", '"1e5"', '"1,000"', "0.5", "false", "[1]"
    ),
    *_missing("quantity", "order_item.quantity", "null", '"undefined"', ABSENT),
]


def _imputed(birth: str, age: str, value: int | None, issue: str | None, as_of: datetime = AS_OF) -> Example:
    return Example("age", "user.age", age, value, issue, {"user.birth_of_date": birth}, as_of)


IMPUTED_AGES = [
    _imputed('"1990-11-22"', "null", 36, None),
    _imputed('"1990-11-23"', "null", 35, None),
    _imputed('"1990-11-22"', ABSENT, 36, None),
    _imputed('"1990-11-22"', '"N/A"', 36, None),
    _imputed('"1990-11-22"', "4", 36, "invalid_age"),
    _imputed('"1990-11-22"', '"old"', 36, "invalid_age"),
    _imputed('"1990-11-22"', "[]", 36, "invalid_age"),
    _imputed('"1990-11-22"', "20", 20, None),
    _imputed('"2013-11-22"', "null", 13, None),
    _imputed('"2013-11-23"', "null", None, "missing_age"),
    _imputed('"2013-11-23"', "4", None, "invalid_age"),
    _imputed('"1906-11-22"', "null", 120, None),
    _imputed('"1905-11-23"', "null", 120, None),
    _imputed('"1905-11-22"', "null", None, "missing_age"),
    _imputed('"2026-11-23"', "null", None, "missing_age"),
    _imputed('"Invalid"', "null", None, "missing_age"),
    _imputed('"2000-02-29"', "null", 26, None, datetime(2027, 2, 28, 23, 59, tzinfo=UTC)),
    _imputed('"2000-02-29"', "null", 27, None, datetime(2027, 3, 1, tzinfo=UTC)),
    _imputed('"2000-02-29"', "null", 27, None, datetime(2028, 2, 28, tzinfo=UTC)),
    _imputed('"2000-02-29"', "null", 28, None, datetime(2028, 2, 29, tzinfo=UTC)),
]

MONEY = [
    *_of(
        "unit_price",
        "products_sku.price",
        ("9265.43", Decimal("9265.43")),
        ("0", Decimal("0.00")),
        ("-0", Decimal("0.00")),
        ("-0.0", Decimal("0.00")),
        ("5", Decimal("5.00")),
        ("0.285", Decimal("0.29")),
        ("1.005", Decimal("1.01")),
        ("2.675", Decimal("2.68")),
        ("0.284999", Decimal("0.28")),
        ("99.995", Decimal("100.00")),
        ("0.005", Decimal("0.01")),
        ("5e-3", Decimal("0.01")),
        ("4.9e-3", Decimal("0.00")),
        ("1e-7", Decimal("0.00")),
        ("1e-400", Decimal("0.00")),
        ("-0.001", Decimal("0.00")),
        ("-0.00499", Decimal("0.00")),
        ("0.004999999999999999999999999", Decimal("0.01")),
        ("0.10000000000000000000001", Decimal("0.10")),
        ("1000000", Decimal("1000000.00")),
        ("1e6", Decimal("1000000.00")),
        ("1000000.004", Decimal("1000000.00")),
        ('"1.005"', Decimal("1.01")),
        ('"0.004999999999999999999999999"', Decimal("0.00")),
        ('"0.005"', Decimal("0.01")),
        ('"-0.004"', Decimal("0.00")),
        ('"-$0.004"', Decimal("0.00")),
        ('"$1,234.50"', Decimal("1234.50")),
        ('"1,000,000"', Decimal("1000000.00")),
        ('"\\u20ac 5"', Decimal("5.00")),
        ('"+\\u00a35.5"', Decimal("5.50")),
        ('"\\u00a5100"', Decimal("100.00")),
        ('"$\\u00a0 5"', Decimal("5.00")),
        ('"+ 5"', Decimal("5.00")),
        ('" 5 "', Decimal("5.00")),
        ('"0,001"', Decimal("1.00")),
        ('"0,000,000,000,001"', Decimal("1.00")),
        ('"000000000000001"', Decimal("1.00")),
        ('"1000000.0049"', Decimal("1000000.00")),
    ),
    *_invalid(
        "unit_price",
        "products_sku.price",
        "-0.005",
        "-5",
        "1000000.005",
        "1000000.01",
        "1000001",
        "1e300",
        "1e400",
        "-1e400",
        "123456789012345678901234567890",
        "7" * 400,
        "true",
        "false",
        "[5]",
        '{"amount": 5}',
        '"-0.005"',
        '"-5"',
        '"- 5"',
        '"1000000.005"',
        '"1,234,567"',
        '"$-5"',
        '"5 $"',
        '"5$"',
        '"$"',
        '"."',
        '".5"',
        '"5."',
        '"1e3"',
        '"1,23"',
        '"1234,567"',
        '"1 000"',
        '"1.234,56"',
        '"0,000,000,000,000,001"',
        '"0000000000000001"',
        '"$  $5"',
        '"USD 5"',
        '"\\uffe55"',
        '"\\uff15"',
        '"\\u22125"',
        '"free"',
        '"Infinity"',
    ),
    *_missing("unit_price", "products_sku.price", "null", '"N/A"', '"NaN"', '"-"', '"--"', ABSENT),
    *_of(
        "payment_amount",
        "payment.amount",
        ("39.98", Decimal("39.98")),
        ('"39.985"', Decimal("39.99")),
        ("0", Decimal("0.00")),
    ),
    *_invalid("payment_amount", "payment.amount", "-1", '"many"', "true", "1000000.01"),
    *_missing("payment_amount", "payment.amount", "null", ABSENT),
    *_of("line_amount", "order_item.quantity", ("3", Decimal("59.97")), ("1", Decimal("19.99"))),
    *_nothing("line_amount", "order_item.quantity", "null", "0", ABSENT),
    *_nothing("line_amount", "products_sku.price", "null", "-1", "[]"),
    *_of(
        "line_amount",
        "order_item.quantity",
        ("100000", Decimal("100000000000.00")),
        given={"products_sku.price": "1000000"},
    ),
    *_of("line_amount", "order_item.quantity", ("5", Decimal("0.00")), given={"products_sku.price": "0"}),
]

_UNTIL_9999 = datetime(9999, 12, 31, 12, 0, tzinfo=UTC)
INSTANTS = [
    *_of(
        "user_created_at",
        "user.create_time",
        ('"2026-11-20 19:24:33.703631"', datetime(2026, 11, 20, 19, 24, 33, 703631, UTC)),
        ('"2026-11-20T19:24:33"', datetime(2026, 11, 20, 19, 24, 33, 0, UTC)),
        ('"2026-11-20T19:24"', datetime(2026, 11, 20, 19, 24, 0, 0, UTC)),
        ('"2026-11-20 19:24:33Z"', datetime(2026, 11, 20, 19, 24, 33, 0, UTC)),
        ('"2026-11-20 19:24:33 z"', datetime(2026, 11, 20, 19, 24, 33, 0, UTC)),
        ('"2026-11-20T19:24Z"', datetime(2026, 11, 20, 19, 24, 0, 0, UTC)),
        ('"2026-11-20T19:24:33+02:00"', datetime(2026, 11, 20, 17, 24, 33, 0, UTC)),
        ('"2026-11-20T19:24:33 +0200"', datetime(2026, 11, 20, 17, 24, 33, 0, UTC)),
        ('"2026-11-20T19:24:33-0530"', datetime(2026, 11, 21, 0, 54, 33, 0, UTC)),
        ('"2026-11-20T19:24:33.5-00:00"', datetime(2026, 11, 20, 19, 24, 33, 500000, UTC)),
        ('"2026-11-20T19:24+23:59"', datetime(2026, 11, 19, 19, 25, 0, 0, UTC)),
        ('"2026-11-20  19:24:33\\t+02:00"', datetime(2026, 11, 20, 17, 24, 33, 0, UTC)),
        ('"2026-11-20T19:24:33.1"', datetime(2026, 11, 20, 19, 24, 33, 100000, UTC)),
        ('"2026-11-20T19:24:33.123456999"', datetime(2026, 11, 20, 19, 24, 33, 123456, UTC)),
        ('"2026-11-20T19:24:33.0000009"', datetime(2026, 11, 20, 19, 24, 33, 0, UTC)),
        ('"1969-12-31T23:59:59.9999999Z"', datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
        ('"2026-11-20"', datetime(2026, 11, 20, 0, 0, 0, 0, UTC)),
        ('"2026/11/20"', datetime(2026, 11, 20, 0, 0, 0, 0, UTC)),
        ('"11/20/2026"', datetime(2026, 11, 20, 0, 0, 0, 0, UTC)),
        ('"2024-02-29"', datetime(2024, 2, 29, 0, 0, 0, 0, UTC)),
        ('"02/29/2000"', datetime(2000, 2, 29, 0, 0, 0, 0, UTC)),
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20, 0, UTC)),
        ('"1700000000"', datetime(2023, 11, 14, 22, 13, 20, 0, UTC)),
        ("1700000000.0", datetime(2023, 11, 14, 22, 13, 20, 0, UTC)),
        ("1.7e9", datetime(2023, 11, 14, 22, 13, 20, 0, UTC)),
        ("1700000000123", datetime(2023, 11, 14, 22, 13, 20, 123000, UTC)),
        ("1.7e12", datetime(2023, 11, 14, 22, 13, 20, 0, UTC)),
        ('"0000000000"', datetime(1970, 1, 1, 0, 0, 0, 0, UTC)),
        ('"0000000000001"', datetime(1970, 1, 1, 0, 0, 0, 1000, UTC)),
        ('"1900-01-01T00:00:00Z"', datetime(1900, 1, 1, 0, 0, 0, 0, UTC)),
        ('"1899-12-31T23:30-01:00"', datetime(1900, 1, 1, 0, 30, 0, 0, UTC)),
        ('"2026-11-23T21:00:00Z"', datetime(2026, 11, 23, 21, 0, 0, 0, UTC)),
        ('"2026-11-23T21:00:00.0000009Z"', datetime(2026, 11, 23, 21, 0, 0, 0, UTC)),
        ('"2026-11-24T01:00:00+04:00"', datetime(2026, 11, 23, 21, 0, 0, 0, UTC)),
    ),
    *_nothing(
        "user_created_at",
        "user.create_time",
        '"2026-11-23T21:00:00.000001Z"',
        '"9999-12-31T23:59:59Z"',
        '"9999-12-31T23:59:59-00:01"',
        '"1899-12-31T23:59:59.999999Z"',
        '"1900-01-01T00:00+00:01"',
        '"1899-12-31"',
        '"0000-01-01"',
        '"0001-01-01T00:00+01:00"',
        '"2026-02-29"',
        '"1900-02-29"',
        '"2026-04-31"',
        '"2026-13-01"',
        '"2026-00-10"',
        '"2026-10-00"',
        '"20/11/2026"',
        '"1/2/2026"',
        '"2026-1-2"',
        '"26-11-20"',
        '"2026-11-20T24:00:00"',
        '"2026-11-20T19:60"',
        '"2026-11-20T19:24:60"',
        '"2026-11-20T9:24"',
        '"2026-11-20T19"',
        '"2026-11-20T"',
        '"2026-11-20t19:24"',
        '"2026-11-20T19:24:33."',
        '"2026-11-20T19:24:33,5"',
        '"2026-11-20T19:24:33.1234567890"',
        '"2026-11-20T19:24.5"',
        '"2026-11-20T19:24+24:00"',
        '"2026-11-20T19:24+02:60"',
        '"2026-11-20T19:24+02"',
        '"2026-11-20T19:24+2:00"',
        '"2026-11-20T19:24\\u221205:00"',
        '"2026-11-20T19:24 UTC"',
        '"2026-11-20T19:24 Z Z"',
        '"2026-11-20 T19:24"',
        '"2026-11-20Z"',
        '"2026/11/20 19:24"',
        '"2026-11/20"',
        '"2\\uff1026-11-20"',
        '"20261120"',
        '"+1700000000"',
        '"1700000000.5"',
        "-1700000000",
        "1700000000.5",
        "170000000",
        "17000000000",
        "17000000000000",
        "1e400",
        '"yesterday"',
        '"Invalid date"',
        '"n/a"',
        "true",
        "null",
        "[]",
        "{}",
        ABSENT,
    ),
    *_of(
        "user_created_at",
        "user.create_time",
        ('"9999-12-31T23:59:59.9999999Z"', datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ('"9999-12-31T23:59+00:01"', datetime(9999, 12, 31, 23, 58, 0, 0, UTC)),
        as_of=_UNTIL_9999,
    ),
    *_nothing("user_created_at", "user.create_time", '"9999-12-31T23:59-00:01"', as_of=_UNTIL_9999),
    *_of("processed_at", "user.create_time", ("null", _UNTIL_9999), as_of=_UNTIL_9999),
    *_of("processed_at", "user.create_time", ("null", AS_OF)),
    *_of(
        "birth_date",
        "user.birth_of_date",
        ('"1990-02-28"', date(1990, 2, 28)),
        ('"1990-02-28T23:30:00-05:00"', date(1990, 3, 1)),
        ('"1990-03-01T00:30:00+01:00"', date(1990, 2, 28)),
        ('"1990/02/28"', date(1990, 2, 28)),
        ('"02/28/1990"', date(1990, 2, 28)),
        ("1234567890", date(2009, 2, 13)),
        ('"1900-01-01"', date(1900, 1, 1)),
        ('"1899-12-31T23:30-01:00"', date(1900, 1, 1)),
        ('"2026-11-22"', date(2026, 11, 22)),
        ('"2026-11-22T23:59:59.999999Z"', date(2026, 11, 22)),
        ('"2026-11-23T00:30:00+01:00"', date(2026, 11, 22)),
    ),
    *_invalid(
        "birth_date",
        "user.birth_of_date",
        '"2026-11-23"',
        '"2026-11-22T23:30:00-01:00"',
        '"2036-09-30"',
        '"1899-12-31"',
        '"1990-02-29"',
        '"28.02.1990"',
        '"28/02/1990"',
        "19900228",
        "631152000",
        '"Invalid"',
        "true",
        "{}",
    ),
    *_missing("birth_date", "user.birth_of_date", "null", '"N/A"', ABSENT),
    *_of(
        "order_created_at",
        "order.create_time",
        ('"2026-11-20T10:00:00.25+01:00"', datetime(2026, 11, 20, 9, 0, 0, 250000, UTC)),
        ('"2026-11-23 21:00"', datetime(2026, 11, 23, 21, 0, 0, 0, UTC)),
    ),
    *_invalid("order_created_at", "order.create_time", '"2026-11-23 21:01"', '"Invalid"', "1", "[]"),
    *_missing("order_created_at", "order.create_time", "null", '"undefined"', ABSENT),
    *_of(
        "order_updated_at",
        "order.updated_at",
        ('"2026-11-20 10:00:00"', datetime(2026, 11, 20, 10, 0, 0, 0, UTC)),
        ('"2099-01-01"', datetime(2099, 1, 1, 0, 0, 0, 0, UTC)),
        ("9999999999999", datetime(2286, 11, 20, 17, 46, 39, 999000, UTC)),
        ('"9999-12-31T23:59:59.999999"', datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ),
    *_nothing(
        "order_updated_at",
        "order.updated_at",
        '"2026-11-20 09:59:59.999999"',
        '"1950-01-01"',
        '"Invalid"',
        "null",
        "[]",
        ABSENT,
    ),
    *_of(
        "order_updated_at",
        "order.updated_at",
        ('"1950-01-01"', datetime(1950, 1, 1, 0, 0, 0, 0, UTC)),
        given={"order.create_time": ABSENT},
    ),
    *_of(
        "order_updated_at",
        "order.updated_at",
        ('"2026-11-20"', datetime(2026, 11, 20, 0, 0, 0, 0, UTC)),
        given={"order.create_time": '"2030-01-01"'},
    ),
]

LOCATIONS = [
    # printf '%s' 'US|Springfield|12345' | sha256sum | cut -c1-16
    *_of("location_id", "address.city", ('"Springfield"', "9558a8c2835d9d57")),
    *_of("location_id", "address.city", ('"A|B"', "1967a992d321665a")),
    *_of(
        "location_id",
        "address",
        ('{"city": "Springfield"}', "7d344db805a1f6f3"),
        ('{"country": "Germany"}', "15eeff5b0b1a4be6"),
        ('{"country": "Freedonia", "postal_code": 12345}', "740ee280e4dcebc8"),
        ('{"country": "fra", "city": "Orle\\u0301ans", "postal_code": "45000"}', "ff0b79dbb11285fa"),
    ),
    *_nothing("location_id", "address", "{}", "null", ABSENT, '"here"', '{"address_line": "1 Main St"}'),
]

ENTITIES = [
    *_missing("city", "address", ABSENT, "null", '"Springfield"', "7", "true", "[]", '[{"city": "x"}]', "{}"),
    *_of(
        "city",
        "address",
        ('{"city": "A", "city": "B"}', "B"),
        ('{"city": "A", "c\\u0069ty": "B"}', "B"),
        ('{"City": "A", "city": "B", "CITY": "C"}', "B"),
        ('{ "extra" : [ { "city" : "A" } ] ,\n\t"city"\r:"B" }', "B"),
    ),
    *_missing("city", "address", '{"city": "A", "city": null}', '{"City": "A"}', '{" city": "A"}'),
    *_missing("order_id", "order", ABSENT, "null", '"order-1"', "[]", "{}"),
    *_missing("user_id", "user", ABSENT, "null", '"user-1"', '[{"id": "user-1"}]'),
    *_nothing("payment_id", "payment", ABSENT, '"payment-1"', "17"),
    *_missing("payment_amount", "payment", ABSENT, "false"),
    *_missing("category_name", "category", '"Sports"', ABSENT),
    *_nothing("sku_id", "products_sku", "0", '""'),
    *_nothing("order_item_id", "order_item", '"item-1"', ABSENT),
]


def _reference(
    issue: str, source: str, json: str, stands: bool, given: Mapping[str, str] | None = None
) -> Example:
    return Example(issue, source, json, None, issue if stands else None, given or {})


MISMATCHES = [
    _reference("mismatched_order_user", "order.user_id", '"user-1"', False),
    _reference("mismatched_order_user", "order.user_id", '" user-1\\n"', False),
    _reference("mismatched_order_user", "order.user_id", '"USER-1"', True),
    _reference("mismatched_order_user", "order.user_id", '"Invalid"', True),
    _reference("mismatched_order_user", "order.user_id", "1", True),
    _reference("mismatched_order_user", "order.user_id", "1.0", False, {"user.id": '"1"'}),
    _reference("mismatched_order_user", "order.user_id", "null", False),
    _reference("mismatched_order_user", "order.user_id", '"n/a"', False),
    _reference("mismatched_order_user", "order.user_id", "[]", False),
    _reference("mismatched_order_user", "order.user_id", "1e400", False),
    _reference("mismatched_order_user", "order.user_id", ABSENT, False),
    _reference("mismatched_order_payment", "order.payment_id", '"payment-1"', False),
    _reference("mismatched_order_payment", "order.payment_id", '"payment-2"', True),
    _reference("mismatched_order_payment", "order.payment_id", '"payment-1"', True, {"payment.id": "null"}),
    _reference("mismatched_order_payment", "order.payment_id", "null", False, {"payment.id": "null"}),
    _reference("mismatched_order_payment", "order.payment_id", '"payment-1"', True, {"payment": ABSENT}),
    _reference("mismatched_item_order", "order_item.order_id", '"order-x"', True),
    _reference("mismatched_item_order", "order_item.order_id", "true", True),
    _reference("mismatched_item_order", "order_item.order_id", "true", False, {"order.id": '"true"'}),
    _reference("mismatched_item_order", "order_item.order_id", ABSENT, False),
    _reference("mismatched_item_sku", "order_item.products_sku_id", '"sku-1"', False),
    _reference("mismatched_item_sku", "order_item.products_sku_id", '"sku-2"', True),
    _reference(
        "mismatched_item_sku", "order_item.products_sku_id", '"sku-1"', True, {"products_sku.id": "{}"}
    ),
    _reference("mismatched_item_sku", "order_item.products_sku_id", "{}", False, {"products_sku.id": "{}"}),
    _reference("mismatched_item_sku", "order_item", '"sku-2"', False),
]

ISSUES = [
    *_of("issues", "user.username", ('"lisa"', []), ("null", ["missing_username"])),
    *_of("issues", "order_item.id", ("null", [])),
    *_of("issues", "user.create_time", ('"Invalid"', [])),
    *_of("issues", "order.updated_at", ('"Invalid"', [])),
    *_of("issues", "subcategory.name", ("[]", [])),
    *_of(
        "issues",
        "address",
        (ABSENT, ["missing_address_line", "missing_city", "missing_country", "missing_postal_code"]),
    ),
    *_of(
        "issues",
        "products_sku",
        ("null", ["mismatched_item_sku", "missing_unit_price"]),
        ('{"id": "sku-2", "price": -1}', ["invalid_unit_price", "mismatched_item_sku"]),
    ),
    *_of("quality_score", "address", (ABSENT, 80)),
    *_of("quality_score", "user.username", ('"lisa"', 100), ("null", 95), ('"Invalid"', 95)),
    *_of("quality_score", "products_sku", ("null", 90)),
    *_of("quality_score", "order_item.id", ("null", 100)),
    *_of(
        "quality_score",
        "user",
        ('{"id": "u"}', 0),
        given={"address": "7", "product": "7", "category": "7", "products_sku": "7", "payment": "7"}
        | {"order.create_time": "7", "order_item.quantity": "7.5"},
    ),
    *_of("source_part", "user.username", ('"lisa"', PART)),
]

EXAMPLES: list[Example] = [
    *SQUASH,
    *SCALARS,
    *TEXTS,
    *IDS,
    *KEYS,
    *EMAILS,
    *PHONES,
    *COUNTRIES,
    *POSTAL_CODES,
    *WORDS,
    *INTEGERS,
    *IMPUTED_AGES,
    *MONEY,
    *INSTANTS,
    *LOCATIONS,
    *ENTITIES,
    *MISMATCHES,
    *ISSUES,
]
