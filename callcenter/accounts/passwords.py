"""Passwords: hashed with Argon2id, off the event loop, in a bounded queue."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from callcenter.accounts.guessable import is_guessable
from callcenter.errors import BadInput, TooMany

Result = TypeVar("Result")

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 200


def check_new_password(password: str, login: str) -> None:
    """Refuse a password that is easily guessed (NIST SP 800-63B: length counts, not kinds of characters).

    Raises:
        BadInput: it is too short, too long, the login with little besides, or a common one in some disguise.
    """
    if len(password) < MINIMUM_LENGTH:
        raise BadInput(f"the password is too short: use at least {MINIMUM_LENGTH} characters")
    if len(password) > MAXIMUM_LENGTH:
        raise BadInput(f"the password is too long: use at most {MAXIMUM_LENGTH} characters")
    if is_guessable(password, login):
        raise BadInput("the password is too easy to guess: use several words that nobody would put together")


def generate_password() -> str:
    """A random password of 96 bits that can be read out and typed: groups of letters and digits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


class Passwords:
    """Hashes and verifies, at most `threads` at once and `waiting` in line; more are refused, not queued."""

    def __init__(self, hasher: PasswordHasher | None = None, *, threads: int = 2, waiting: int = 32) -> None:
        """`hasher` holds the cost parameters; the default is the library's (RFC 9106, low memory)."""
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._places = threads + waiting
        self._busy = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The hash of a new password, with its parameters in it."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the one that was hashed.

        Without a hash (nobody of that name) just as much time passes, so that logins cannot be found out.
        """
        return await self._run(lambda: self._verify(password, hashed))

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than today's and should be made anew."""
        return self._hasher.check_needs_rehash(hashed)

    def close(self) -> None:
        """Let the threads go; what has not begun is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, hashed: str | None) -> bool:
        if hashed is None:
            if self._nobody is None:
                self._nobody = self._hasher.hash(secrets.token_hex())
            hashed, nobody = self._nobody, True
        else:
            nobody = False
        try:
            return self._hasher.verify(hashed, password) and not nobody
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._busy >= self._places:
            raise TooMany("too many people log in at this moment: try again", retry_after=timedelta(seconds=2))
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._busy -= 1


async def hash_once(password: str) -> str:
    """The hash of one new password, for a command that needs no other."""
    passwords = Passwords(threads=1)
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()
