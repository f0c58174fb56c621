"""Passwords: what is refused, hashing off the loop, outdated hashes, the bounded line."""

import asyncio
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from callcenter.accounts.passwords import Passwords, check_new_password, generate_password
from callcenter.errors import BadInput, TooMany

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(CHEAP)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 10"),
        ("x" * 201, "at most 200"),
        ("aaaaaaaaaaaa", "easy to guess"),
        ("Li.Na.Wang", "easy to guess"),
    ],
)
def test_weak_passwords_are_refused_with_a_plain_reason(password: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        check_new_password(password, "li.na.wang")


def test_generated_passwords_pass_and_differ() -> None:
    made = {generate_password() for _ in range(20)}
    assert len(made) == 20
    for password in made:
        check_new_password(password, "li")


async def test_the_right_password_is_known_again(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse battery")
    assert hashed.startswith("$argon2id$")
    assert await passwords.verify("correct horse battery", hashed)
    assert not await passwords.verify("correct horse batterz", hashed)


@pytest.mark.parametrize("hashed", [None, "", "plain text", "$argon2id$broken"])
async def test_nobody_and_broken_hashes_let_nobody_in(passwords: Passwords, hashed: str | None) -> None:
    assert not await passwords.verify("anything at all", hashed)


async def test_a_hash_of_other_parameters_is_outdated(passwords: Passwords) -> None:
    assert not passwords.is_outdated(await passwords.hash("correct horse battery"))
    assert passwords.is_outdated(
        PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash("correct horse battery")
    )


async def test_the_line_is_bounded() -> None:
    slow = PasswordHasher(time_cost=1, memory_cost=65536, parallelism=1)
    passwords = Passwords(slow, threads=1, waiting=2)
    try:
        results = await asyncio.gather(*(passwords.hash("x" * 12) for _ in range(6)), return_exceptions=True)
    finally:
        passwords.close()
    refused = [result for result in results if isinstance(result, TooMany)]
    assert len(refused) == 3
    assert sum(isinstance(result, str) for result in results) == 3


async def test_a_threads_worth_of_hashing_leaves_the_loop_free(passwords: Passwords) -> None:
    slow = Passwords(PasswordHasher(time_cost=4, memory_cost=65536, parallelism=1), threads=1)
    try:
        work = asyncio.ensure_future(slow.hash("x" * 12))
        turns = 0
        while not work.done():
            await asyncio.sleep(0)
            turns += 1
        assert (await work).startswith("$argon2id$")
    finally:
        slow.close()
    assert turns > 10
