"""Sample customers for the demo: the same ones each time, with numbers that belong to nobody.

The numbers are those that Ofcom keeps free for drama: London 020 7946 0xxx and mobiles 07700 900xxx.
See ofcom.org.uk, "Telephone numbers for use in TV and radio drama programmes".
"""

import random
from collections.abc import Iterator

from callcenter.customers.draft import Draft, DraftPhone

COUNT = 300

SWITCHBOARD = "020 7946 0000"
"""Shared by all customers of one company, so that a pop with several candidates can be seen."""

_ENGLISH_FIRST = "Olivia Noah Amelia George Isla Arthur Ava Oscar Mia Leo Grace Harry Freya Jack Zoë Seán".split()
_ENGLISH_LAST = "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Wright O'Brien Ferreira-Silva".split()
_CHINESE_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林"
_CHINESE_GIVEN = "伟芳娜敏静强磊洋勇军杰娟艳涛明超霞平刚华婷宇轩浩然思雨子涵"
_COMPANIES = (
    *("Harbour Lights Ltd", "Northgate Dental", "Blue Kettle Café", "Fenwick & Daughters", "Pennine Cycles"),
    *("环球贸易有限公司", "东方茶业", "明远科技", "和顺物流", "Sparrow Insurance"),
)
_TAGS = ("vip", "newsletter", "overdue", "trial", "renewal", "复购")
_STREETS = ("Station Road", "High Street", "Mill Lane", "Church Walk", "Canal Street")
_NOTES = (
    "Prefers to be called in the morning.",
    "Asked for an offer for the new tariff.",
    "客户希望下周回电。",
    "Complained about the last delivery; be kind.",
)


def sample_customers(count: int = COUNT, owners: tuple[str, ...] = ()) -> list[Draft]:
    """Return the sample customers; `owners` are agents who take turns in having a customer of their own."""
    dice = random.Random(20260301)
    return [_customer(place, dice, owners) for place in range(count)]


def _customer(place: int, dice: random.Random, owners: tuple[str, ...]) -> Draft:
    chinese = place % 3 == 2
    name, language, local = _chinese(dice) if chinese else _english(dice)
    company = _COMPANIES[place % len(_COMPANIES)] if place % 2 == 0 else None
    return Draft(
        name=name,
        company=company,
        email=f"{local}{place}@example.com" if place % 4 else None,
        language=language,
        address=f"{dice.randint(1, 99)} {dice.choice(_STREETS)}\nLondon" if place % 5 == 0 else None,
        owner=owners[place % len(owners)] if owners and place % 3 == 0 else None,
        tags=tuple(sorted(dice.sample(_TAGS, place % 3))),
        fields={"contract": f"C-{10_000 + place}"} if place % 4 == 0 else {},
        phones=tuple(_phones(place, company)),
        note=dice.choice(_NOTES) if place % 6 == 0 else None,
        external_ref=f"SAMPLE-{place:04}",
    )


def _english(dice: random.Random) -> tuple[str, str, str]:
    first, last = dice.choice(_ENGLISH_FIRST), dice.choice(_ENGLISH_LAST)
    local = "".join(char for char in f"{first}.{last}".lower() if char.isascii() and (char.isalnum() or char == "."))
    return f"{first} {last}", "en", local


def _chinese(dice: random.Random) -> tuple[str, str, str]:
    given = "".join(dice.sample(_CHINESE_GIVEN, dice.randint(1, 2)))
    return dice.choice(_CHINESE_FAMILY) + given, "zh-CN", "kehu"


def _phones(place: int, company: str | None) -> Iterator[DraftPhone]:
    """One number of their own for each, in the spellings that people use, and the switchboard for one company."""
    if place % 2 == 0:
        spelled = (f"07700 900{place:03}", f"+44 7700 900{place:03}", f"+447700900{place:03}")[place % 3]
        yield DraftPhone(spelled, "mobile")
    else:
        spelled = (f"020 7946 0{place:03}", f"+44 20 7946 0{place:03}", f"(020) 7946-0{place:03}")[place % 3]
        yield DraftPhone(spelled, "home")
    if company == _COMPANIES[0]:
        yield DraftPhone(SWITCHBOARD, "work")
