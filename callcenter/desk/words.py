"""What agents choose from, as values, and what a new tenant begins with."""

import re
from enum import StrEnum
from typing import Final

import msgspec

from callcenter.errors import BadInput
from callcenter.model import Value

LANGUAGES: Final = ("en", "zh-CN", "zh-TW")
LONGEST_NAME: Final = 60
MOST: Final = 100
"""Entries of one list."""
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_FIELD: Final = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
RESERVED: Final = frozenset({"wrapup"})
"""Pause reasons that the service itself gives."""


class OutcomeKind(StrEnum):
    """What an outcome means for reports."""

    SUCCESS = "success"
    CALLBACK = "callback"
    FAILURE = "failure"
    NO_CONTACT = "no_contact"
    OTHER = "other"


class FieldKind(StrEnum):
    """What a field of a card holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"


class PauseReason(Value, frozen=True):
    """Why an agent pauses; beyond `budget_s` seconds it is too long."""

    code: str
    names: dict[str, str]
    budget_s: int | None = None
    place: int = 0
    active: bool = True


class Outcome(Value, frozen=True):
    """What a call may come to."""

    code: str
    names: dict[str, str]
    kind: OutcomeKind
    place: int = 0
    active: bool = True


class FieldDefinition(Value, frozen=True):
    """A field of the customers' cards. `choices` are the values that a field of that kind may have."""

    code: str
    names: dict[str, str]
    kind: FieldKind
    choices: tuple[str, ...] = ()
    place: int = 0
    active: bool = True


class DeskSettings(Value, frozen=True):
    """Seconds to wrap a queue's call up, for all queues and for some that differ; 0 is none."""

    wrapup_s: int = 0
    wrapup_queues: dict[str, int] = msgspec.field(default_factory=dict)


Word = PauseReason | Outcome | FieldDefinition


def check(word: Word) -> None:
    """Check an entry of a list.

    Raises:
        BadInput: says what is wrong with it.
    """
    is_field = isinstance(word, FieldDefinition)
    if not (_FIELD if is_field else _CODE).fullmatch(word.code):
        raise BadInput(f"{word.code[:40]!r} is no code: write small letters, digits, - and _, at most 40 of them")
    if word.code in RESERVED:
        raise BadInput(f"{word.code!r} is the service's own: choose another code")
    if not word.names or any(not name.strip() or len(name) > LONGEST_NAME for name in word.names.values()):
        raise BadInput(f"names: write at least one, each of 1 to {LONGEST_NAME} characters")
    unknown = [language for language in word.names if language not in LANGUAGES]
    if unknown:
        raise BadInput(f"names: {unknown[0][:20]!r} is no language of the pages: {', '.join(LANGUAGES)}")
    if isinstance(word, FieldDefinition):
        choices = word.choices
        if (word.kind is FieldKind.CHOICE) != bool(choices):
            raise BadInput("choices: a field to choose from needs some, and no other field has any")
        if len(set(choices)) != len(choices) or any(not one.strip() or len(one) > LONGEST_NAME for one in choices):
            raise BadInput(f"choices: each once, of 1 to {LONGEST_NAME} characters")


def _names(en: str, cn: str, tw: str) -> dict[str, str]:
    return dict(zip(LANGUAGES, (en, cn, tw), strict=True))


PAUSE_REASONS: Final = (
    PauseReason(code="break", names=_names("Break", "小休", "小休"), budget_s=900, place=1),
    PauseReason(code="lunch", names=_names("Lunch", "用餐", "用餐"), budget_s=2700, place=2),
    PauseReason(code="restroom", names=_names("Restroom", "洗手间", "洗手間"), budget_s=600, place=3),
    PauseReason(code="paperwork", names=_names("Paperwork", "处理工单", "處理工單"), place=4),
    PauseReason(code="meeting", names=_names("Meeting", "会议", "會議"), place=5),
    PauseReason(code="training", names=_names("Training", "培训", "教育訓練"), place=6),
)
OUTCOMES: Final = (
    Outcome(code="resolved", names=_names("Resolved", "已解决", "已解決"), kind=OutcomeKind.SUCCESS, place=1),
    Outcome(code="sold", names=_names("Sold", "已成交", "已成交"), kind=OutcomeKind.SUCCESS, place=2),
    Outcome(code="callback", names=_names("Call back", "需要回访", "需要回電"), kind=OutcomeKind.CALLBACK, place=3),
    Outcome(code="passed_on", names=_names("Passed on", "已转交", "已轉交"), kind=OutcomeKind.OTHER, place=4),
    Outcome(
        code="not_interested", names=_names("Not interested", "无意向", "無意願"), kind=OutcomeKind.FAILURE, place=5
    ),
    Outcome(code="complaint", names=_names("Complaint", "投诉", "客訴"), kind=OutcomeKind.OTHER, place=6),
    Outcome(code="no_contact", names=_names("Not reached", "未联系上", "未接通"), kind=OutcomeKind.NO_CONTACT, place=7),
    Outcome(
        code="wrong_number", names=_names("Wrong number", "号码错误", "號碼錯誤"), kind=OutcomeKind.NO_CONTACT, place=8
    ),
)
