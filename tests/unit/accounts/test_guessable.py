"""Passwords that are guessed first, in disguise too."""

import pytest

from callcenter.accounts.guessable import is_guessable
from callcenter.accounts.passwords import check_new_password, generate_password
from callcenter.errors import BadInput


@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "P@ssw0rd2026!",
        "Passw0rd!!",
        "passwordpassword",
        "Welcome-2026",
        "callcenter1",
        "CallCenter!2026",
        "qwertyuiop",
        "poiuytrewq",
        "1qaz2wsx3edc",
        "1234567890",
        "13800138000",
        "abcdefghij",
        "zyxwvutsrq",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "lina.lina1",
        "1lina2026x",
        "letmein.admin.1",
        "!!!!1234!!!!",
        "AdminAdmin123",
        "asterisk2026",
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert is_guessable(password, "lina")
    with pytest.raises(BadInput, match="easy to guess"):
        check_new_password(password, "lina")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "lina eats red noodles",
        "marmalade on tuesdays",
        "蓝色的大象在跳舞啊朋友",
        "k7x-what-is-left",
        "password of my old cat",
        "Tr0ub4dour and three",
    ],
)
def test_what_nobody_puts_together_is_taken(password: str) -> None:
    assert not is_guessable(password, "lina")
    check_new_password(password, "lina")


def test_a_login_of_two_letters_may_be_part_of_a_word() -> None:
    assert not is_guessable("the limit of all lies", "li")


def test_what_is_generated_is_taken() -> None:
    for _ in range(200):
        check_new_password(generate_password(), "lina")
