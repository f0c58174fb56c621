"""Passwords that are guessed first: common words and ways over the keyboard, disguised or not. Pure.

Lists of leaked passwords are long, and few of their entries have ten characters; those that do are the same words with
digits behind them, letters swapped for signs, or repeated. So what is left without the disguise is looked at.
"""

from itertools import pairwise
from typing import Final

WORDS: Final = frozenset(
    """
    abc abcd abcdef abcdefg abcdefgh access account admin administrator agent amanda andrew angel anthony apple asdf
    asdfgh asdfghjkl ashley asterisk babygirl baseball batman bonjour buster butterfly call callcenter callcentre
    center centre changeit changeme charlie cheese chocolate company computer cookie corvette customer daniel
    default demo diamond dragon elastix election facebook football freepbx friend friends geheim george ginger
    google guest hallo hannah harley hello hellokitty hunter iloveyou internet issabel jennifer jessica jordan
    joshua justin killer lakers letmein liverpool login london loveme lovely manager master matrix matthew maverick
    merlin michael michelle monkey mustang naruto nicole ninja nothing office operator pass passw passwd password
    passwort pepper phone pokemon power princess purple qazwsx qwer qwert qwerty qwertyui qwertyuiop qwertz root
    samsung secret security service shadow soccer spring starwars summer sunshine superman supervisor support system
    temp temporary test tester testing thomas tigger trustno user username voip welcome whatever willkommen winter
    woaini wodemima xiaoming yellow zaq zxcvbn zxcvbnm
    """.split()
)
WAYS: Final = (
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1234567890qwertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
)
"""Rows and columns of keyboards, as fingers go."""
LEAST_BESIDE: Final = 8
"""Characters that a password needs besides the login."""
_DISGUISES: Final = tuple(str.maketrans("@4301!5$78", f"aaeo{letter}{letter}sstb") for letter in "il")


def is_guessable(password: str, login: str) -> bool:
    """Whether somebody who guesses tries it early."""
    plain = password.casefold()
    if plain.isdigit() or _repeats(plain) or _is_way(plain):
        return True
    if len(login) >= 3 and login in plain and len(plain.replace(login, "")) < LEAST_BESIDE:
        return True
    kept = _without_ends(plain)
    faces = {kept, *(_without_ends(text.translate(way)) for text in (plain, kept) for way in _DISGUISES)}
    return any(not face or _is_way(face) or _is_of_words(face) for face in faces)


def _without_ends(text: str) -> str:
    """The text without the digits and signs that stand before and behind the letters."""
    letters = [place for place, sign in enumerate(text) if sign.isalpha()]
    return text[letters[0] : letters[-1] + 1] if letters else ""


def _repeats(text: str) -> bool:
    """Whether it is a short piece again and again."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, 5))


def _is_way(text: str) -> bool:
    """Whether it goes up or down by one each time, or along the keyboard."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    if len(text) >= 3 and len(steps) == 1 and steps <= {-1, 0, 1}:
        return True
    return len(text) >= 6 and any(text in way or text in way[::-1] for way in WAYS)


def _is_of_words(text: str) -> bool:
    """Whether it is made of at most three common words, with anything that is no letter between them."""
    ends: dict[int, int] = {0: 0}
    for end in range(1, len(text) + 1):
        before = [ends[at] for at in range(end) if at in ends and text[at:end] in WORDS]
        if before:
            ends[end] = min(before) + 1
        elif not text[end - 1].isalpha() and end - 1 in ends:
            ends[end] = ends[end - 1]
    return ends.get(len(text), 4) <= 3
