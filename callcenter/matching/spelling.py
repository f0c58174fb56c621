"""Peels the spelling off a phone number: brackets, URIs, foreign digits, extensions; what is dialed is left.

Pure, and bounded by `LONGEST_TEXT`. The texts come from trunks, files and people: nothing here trusts them.
"""

import re
import unicodedata
from urllib.parse import unquote

LONGEST_TEXT = 250
"""Characters of the longest text that is looked at; a SIP URI fits, and a pasted letter does not."""

ANONYMOUS_WORDS = frozenset(
    {
        "",
        "-",
        "anonymous",
        "asterisk",
        "blocked",
        "hidden",
        "no number",
        "none",
        "null",
        "private",
        "private number",
        "restricted",
        "unavailable",
        "unknown",
        "unknown number",
        "withheld",
        "匿名",
        "未知",
        "未知号码",
        "未知號碼",
        "隐藏号码",
        "隱藏號碼",
    }
)
"""What trunks write where the caller withheld the number; `asterisk` is Asterisk's own default."""

ANONYMOUS_DIGITS = frozenset({"266696687", "7378742833", "86282452253"})
"""ANONYMOUS, RESTRICTED, UNAVAILABLE spelled on a keypad, by gateways that may send digits only."""

_PUNCTUATION = frozenset("()[]{}./~·•・_'’")
_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_URI = re.compile(r"(?:sips?|tel|callto):", re.IGNORECASE)
_CONTEXT = re.compile(r";phone-context=(\+[0-9().\-]*)", re.IGNORECASE)
_EXTENSION = re.compile(
    r"(?:;ext=|[,;]*(?:extension|extn?|x|#)|,+|分机号?|分機號?|转|轉|доб)[:=.]*[0-9]{1,9}$", re.IGNORECASE
)
_LABEL = re.compile(r"^(?:tel|phone|mobile|mob|fax|电话|電話|手机|手機)[:：]", re.IGNORECASE)
_VANITY = re.compile(r"\+?[0-9]+[A-Z]{3,}[0-9]*", re.ASCII)


class _Plain(dict[int, str]):
    """What each character is for dialing: digits of all scripts become ASCII, separators vanish."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Nd":
            return str(unicodedata.decimal(char))
        if category[0] == "Z" or category in ("Cc", "Cf", "Pd") or char in _PUNCTUATION:
            return ""
        wide = unicodedata.normalize("NFKC", char)
        if category != "No" and len(wide) == 1 and wide.isascii():
            return "" if wide in _PUNCTUATION else wide
        return char


_PLAIN = _Plain({code: _Plain()[code] for code in range(128)})


def dialable(text: str) -> str:
    """Return what is dialed (`+`, digits, `*`, `#`), or the words that are left where it is no number.

    The result is ASCII digits, perhaps after a `+`, for everything that reads as a number; an extension is
    dropped; letters are turned into digits only in a vanity number (`1-800-FLOWERS`).
    """
    plain = text.translate(_PLAIN)
    digits = plain[1:] if plain[:1] == "+" else plain
    if digits.isascii() and digits.isdigit():
        return plain
    text = text.strip()
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1].strip()
    uri = _URI.match(text)
    context = ""
    if uri:
        found = _CONTEXT.search(text)
        context = found[1] if found else ""
        text = unquote(text[uri.end() :].lstrip("/").split("@")[0].split(";phone-context")[0])
        if text[:1] == "+":
            context = ""
    plain = (context + text).translate(_PLAIN)
    plain = _LABEL.sub("", plain)
    if not _all_dialed(plain):
        plain = _EXTENSION.sub("", plain)
        upper = plain.upper()
        if _VANITY.fullmatch(upper):
            plain = upper.translate(_KEYPAD)
    elif "#" in plain[1:]:
        plain = _EXTENSION.sub("", plain)
    return plain


def is_anonymous(text: str, plain: str) -> bool:
    """Tell whether a text says that there is no number; `plain` is its dialable form."""
    if plain and plain.isdigit():
        return plain in ANONYMOUS_DIGITS or not plain.strip("0")
    if plain[:1] == "+" and plain[1:] in ANONYMOUS_DIGITS:
        return True
    word = text.strip().strip("<>\"'").strip().casefold()
    return word in ANONYMOUS_WORDS or plain.casefold() in ANONYMOUS_WORDS


def _all_dialed(plain: str) -> bool:
    """Tell whether only keys of a telephone are left."""
    return not plain.strip("+0123456789*#")
