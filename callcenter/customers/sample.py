"""The made-up customers of the demo: always the same, with numbers that the regulator keeps free for fiction.

Source of the numbers: Ofcom, "Telephone numbers for use in TV and radio drama programs" (020 7946 0xxx, 07700 900xxx).
"""

from collections.abc import Iterator
from itertools import cycle, islice
from random import Random

from callcenter.customers.draft import Draft, DraftPhone

FIRST = (
    "Olivia Noah Amara Yusuf Grace Hugo Zoë Ibrahim Freya Mateo Aisha Jonas Priya Callum Inès Dmitri Leila Owen "
    "Sakura Tomasz"
).split()
LAST = (
    "Bennett Okonkwo Fraser Müller Rossi Haddad O'Brien Kowalska Nguyen Silva Lindqvist Patel Mac\u00a0Leod Ferreira "
    "Takahashi Ivanova Dubois Sørensen"
).split(" ")
CHINESE = ("王小明", "陳美玲", "李建國", "張雅婷", "刘洋", "赵敏", "周杰", "黃淑芬", "吳宗憲", "孙丽")
COMPANIES = (
    "Harbour Lane Bakery",
    "Northgate Optics",
    "Blue Heron Travel",
    "Finch & Sons",
    "大同貿易",
    "Quayside Dental",
)
TAGS = (("vip",), (), ("newsletter",), (), ("late payer",), (), ("trade", "vip"), ())
NOTES = (
    "Prefers to be called in the morning.",
    "",
    "Asked for a quote in October; send the new price list.",
    "",
    "Speaks Mandarin and English.",
    "",
)
SHARED = DraftPhone(number="020 7946 0300", label="switchboard")
"""One number of several people: the pop shows a chooser."""


def sample_customers(count: int = 300) -> list[Draft]:
    """The first `count` customers; the same each time."""
    return list(islice(_customers(Random(7)), count))


def _customers(random: Random) -> Iterator[Draft]:
    tags, notes = cycle(TAGS), cycle(NOTES)
    for number in range(1, 900):
        company = random.choice(COMPANIES) if random.random() < 0.5 else None
        name = CHINESE[number % 10] if number % 6 == 0 else f"{random.choice(FIRST)} {random.choice(LAST)}"
        phones = [DraftPhone(number=_spelled(number), label="mobile")]
        if number % 4 == 0:
            phones.append(DraftPhone(number=f"020 7946 {400 + number % 400:04d}", label="office"))
        if company == COMPANIES[0] and number < 60:
            phones.append(SHARED)
        yield Draft(
            name=name,
            company=company,
            email=f"customer{number}@example.com",
            tags=next(tags),
            phones=tuple(phones),
            note=next(notes) or None,
            fields={"customer number": f"C-{number:05d}"},
            external_ref=f"demo-{number}",
        )


def _spelled(number: int) -> str:
    """A mobile number as people write it: in one of three ways."""
    digits = f"{number:03d}"
    return (f"07700 900{digits}", f"+44 7700 900{digits}", f"(07700) 900-{digits}")[number % 3]
