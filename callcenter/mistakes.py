"""Mistakes in a configuration, as sentences that say what to write instead.

Values may be secrets: only a check that knows its setting to be none quotes one.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_ALIKE: Final = 0.85
"""How much a name of the environment must be like a setting's to be taken for it; other programs have names there."""

Place = tuple[int | str, ...]
Fields = Mapping[str, FieldInfo]


def sentences(problem: ValidationError, model: type[BaseModel]) -> str:
    """All that is wrong with the settings, each with its key and what was expected."""
    return "; ".join(
        f"{'.'.join(map(str, error['loc'])) or 'settings'}: {_expected(error, model)}" for error in problem.errors()
    )


def misspelled(names: Iterable[str], prefix: str, model: type[BaseModel]) -> str | None:
    """The first name of the environment that is no setting and looks like one, told with the one it looks like."""
    known = {name.upper() for name in _names(model.model_fields)}
    for name in names:
        written = name.upper().removeprefix(prefix)
        if written == name.upper() or written in known or written.partition("__")[0] in known:
            continue
        meant = get_close_matches(written, known, n=1, cutoff=_ALIKE)
        if meant:
            return f"{name} in the environment is no setting: {prefix}{meant[0]} may be meant"
    return None


def _names(fields: Fields) -> Iterator[str]:
    for name, field in fields.items():
        yield name
        if isinstance(field.default, BaseModel):
            yield from (f"{name}__{inner}" for inner in _names(type(field.default).model_fields))


def _expected(error: Any, model: type[BaseModel]) -> str:
    place: Place = error["loc"]
    match error["type"]:
        case "extra_forbidden":
            meant = get_close_matches(str(place[-1]), _fields_at(model, place[:-1]), n=1, cutoff=0.6)
            hint = f", {meant[0]} may be meant" if meant else ""
            return f"there is no such setting{hint}; docs/configuration.md has all of them"
        case "tuple_type" if isinstance(error["input"], dict):
            return f"write [[{place[-1]}]], in double brackets: there may be several"
        case "tuple_type":
            return "write a list, in brackets"
        case "model_type":
            return f"write [{place[-1]}], in single brackets: there is only one"
        case "string_type":
            return "write it in quotes"
        case "missing":
            return "this must be given"
        case "string_pattern_mismatch":
            examples = _fields_at(model, place[:-1])[str(place[-1])].examples or ()
            return f"write it like {' or '.join(map(repr, examples))}"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")


def _fields_at(model: type[BaseModel], place: Place) -> Fields:
    """The settings of the section at a place, which may be one of several."""
    for step in place:
        if isinstance(step, str):
            annotation = model.model_fields[step].annotation
            inner = [one for one in (annotation, *get_args(annotation)) if _is_section(one)]
            model = inner[0]
    return model.model_fields


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
