"""How a number is dialed from a place: the digits that a dialplan expects. Pure."""

import phonenumbers

from callcenter.matching.spelling import dialable


def to_dial(e164: str, region: str, form: str) -> str:
    """The digits that lead from `region` to `e164`: `national` (0207…, 00 33…) or `e164` (+44 207…)."""
    if form == "e164":
        return e164
    number = phonenumbers.parse(e164)
    return dialable(phonenumbers.format_out_of_country_calling_number(number, region))
