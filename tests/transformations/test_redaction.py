import pytest

from backend.transformations.redaction import without_passwords


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", "{}"),
        ('{"password": 1}', "{}"),
        ('{"password": 1, "a": 2}', '{"a":2}'),
        ('{"a": 2, "password": 1}', '{"a":2}'),
        ('{"a": 2, "PassWord": {"x": [1, {"y": 2}]}, "b": 3}', '{"a":2,"b":3}'),
        ('{"password": 1, "password": 2}', "{}"),
        ('{"password": 1, "password": 2, "a": 3}', '{"a":3}'),
        (r'{"p\u0061ssword": 1, "a": 2}', '{"a":2}'),
        ('{"a": [{"password": "b", "c": 1e400}]}', '{"a":[{"c":1e400}]}'),
        ('["password", 1]', '["password",1]'),
        ('{"a": "password"}', '{"a":"password"}'),
        (r'{"a": "\"password\": 1, "}', r'{"a":"\"password\": 1, "}'),
        ('{"passwords": 1, "user_password": 2}', '{"passwords":1,"user_password":2}'),
        ('{"pa\u017fsword": 1}', '{"pa\u017fsword":1}'),
        ("7", "7"),
        ('{"a": 123456789012345678901234567890.5e-3}', '{"a":123456789012345678901234567890.5e-3}'),
    ],
)
def test_members_named_password_are_left_out_at_any_depth(text: str, expected: str) -> None:
    assert without_passwords(text) == expected
