import pytest

from backend.domain.errors import Conflict, InvalidRequest, NotAuthenticated
from backend.domain.identifiers import is_user_id
from backend.services.accounts import AccountService
from tests.fakes import InMemoryAccounts

PASSWORD = "correct horse"  # noqa: S105 - of nobody


def test_a_registered_user_logs_in_and_is_known_by_the_same_id() -> None:
    service = AccountService(InMemoryAccounts())
    user_id = service.register("ada", PASSWORD)
    assert is_user_id(user_id)
    assert service.log_in("ada", PASSWORD) == user_id
    assert service.log_in("ADA", PASSWORD) == user_id


def test_passwords_are_kept_as_argon2_hashes_alone() -> None:
    accounts = InMemoryAccounts()
    AccountService(accounts).register("ada", PASSWORD)
    assert accounts.rows["ada"].password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_wrong_passwords_and_unknown_users_are_refused_in_the_same_words() -> None:
    service = AccountService(InMemoryAccounts())
    service.register("ada", PASSWORD)
    refusals = []
    for username, password in (("ada", "wrong horse"), ("eve", PASSWORD), ("no such form!", PASSWORD)):
        with pytest.raises(NotAuthenticated) as caught:
            service.log_in(username, password)
        refusals.append((str(caught.value), caught.value.code))
    assert set(refusals) == {("the username or the password is wrong", "wrong_credentials")}


def test_an_unknown_user_costs_a_hash_as_a_wrong_password_does(monkeypatch: pytest.MonkeyPatch) -> None:
    verified = []
    monkeypatch.setattr("backend.services.accounts._matches", lambda *call: bool(verified.append(call)))
    service = AccountService(InMemoryAccounts())
    service.register("ada", PASSWORD)
    for username in ("ada", "eve"):
        with pytest.raises(NotAuthenticated):
            service.log_in(username, "wrong horse")
    assert [password for _, password in verified] == ["wrong horse", "wrong horse"]
    assert all(password_hash.startswith("$argon2id$") for password_hash, _ in verified)


def test_what_lies_beyond_the_longest_password_is_not_ignored() -> None:
    service = AccountService(InMemoryAccounts())
    service.register("ada", "x" * 128)
    with pytest.raises(NotAuthenticated):
        service.log_in("ada", "x" * 129)


def test_a_taken_username_is_a_conflict() -> None:
    service = AccountService(InMemoryAccounts())
    service.register("ada", PASSWORD)
    with pytest.raises(Conflict):
        service.register("Ada", PASSWORD)


@pytest.mark.parametrize("username", ["", "ab", "a" * 65, "a b c", "adä", "ada\n", "../ada", "a/b"])
def test_a_username_of_another_form_is_refused(username: str) -> None:
    with pytest.raises(InvalidRequest, match="username"):
        AccountService(InMemoryAccounts()).register(username, PASSWORD)


@pytest.mark.parametrize("username", ["abc", "a" * 64, "A.b_c-9", "..."])
def test_a_username_of_the_form_is_taken(username: str) -> None:
    assert AccountService(InMemoryAccounts()).register(username, PASSWORD)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 129])
def test_a_password_of_another_length_is_refused(password: str) -> None:
    with pytest.raises(InvalidRequest, match="8 to 128"):
        AccountService(InMemoryAccounts()).register("ada", password)
