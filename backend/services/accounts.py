"""Accounts: who may call the API."""

import re

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from backend.domain.errors import InvalidRequest, NotAuthenticated
from backend.domain.identifiers import new_user_id
from backend.ports import Account, AccountStore

# The hyphen is escaped for browsers, which read a pattern more strictly than Python does.
USERNAME_FORM = r"[A-Za-z0-9._\-]{3,64}"
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128

_USERNAME = re.compile(USERNAME_FORM)

# OWASP's Password Storage Cheat Sheet, Argon2id: 19 MiB of memory, 2 iterations, 1 degree of parallelism.
# Every thread of the API may hash at the same time, which the larger choices there would make dear.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class AccountService:
    """Registers users and knows them again."""

    def __init__(self, accounts: AccountStore) -> None:
        self._accounts = accounts
        # Verified against when a username is unknown, so that this takes as long as a wrong password.
        self._nobodys_hash = _HASHER.hash("nobody has this account")

    def register(self, username: str, password: str) -> str:
        """Make an account; its user id.

        Raises:
            InvalidRequest: the username or the password is not of its form.
            Conflict: the username is taken (ignoring case).
        """
        if _USERNAME.fullmatch(username) is None:
            raise InvalidRequest("username has to be 3 to 64 of the letters A-Z and a-z, digits and . _ -")
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise InvalidRequest(
                f"password has to be {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters long"
            )
        account = Account(new_user_id(), username, _HASHER.hash(password))
        self._accounts.add(account)
        return account.user_id

    def log_in(self, username: str, password: str) -> str:
        """The user id of a username and its password.

        Raises:
            NotAuthenticated: there is no such user or the password is another; callers can't tell which.
        """
        known = _USERNAME.fullmatch(username) is not None
        account = self._accounts.find(username) if known else None
        # A longer password is nobody's; hashing it would cost what its sender likes.
        right = _matches(
            account.password_hash if account else self._nobodys_hash, password[:LONGEST_PASSWORD]
        )
        if account is None or not right or len(password) > LONGEST_PASSWORD:
            raise NotAuthenticated("the username or the password is wrong", "wrong_credentials")
        return account.user_id


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False
