"""docs/screenpop-protocol.md: its schema is up to date, its examples are real messages, it names every message."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from screenpop import messages, rows, schema

PAGE = Path(__file__).parents[3] / "docs" / "screenpop-protocol.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = [
    example
    for block in re.findall(r"```json\n(.*?)```", TEXT.partition(schema.BEGIN)[0], re.DOTALL)
    for example in re.split(r"\n(?=\{)", block.strip())
]


def test_the_schema_on_the_page_is_up_to_date() -> None:
    assert schema.renew(TEXT) == TEXT, "run: python -m screenpop.schema docs/screenpop-protocol.md"


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_is_a_real_message(example: str) -> None:
    message: dict[str, Any] = json.loads(example)
    Draft202012Validator(schema.schema()).validate(message)
    if message["type"] in {kind.__struct_config__.tag for kind in messages.ClientMessage.__args__}:
        messages.decode(example)
        return
    if message["type"] == "welcome":
        kind: Any = messages.Welcome
        encoded = messages.encode(msgspec.convert(message, kind))
    elif message["type"] == "floor_update":
        kind = rows.FloorUpdate
        encoded = msgspec.json.encode(msgspec.convert(message, kind))
    else:
        kind = messages.Numbered
        encoded = messages.number(message["seq"], messages.encode(msgspec.convert(message, kind)))
    assert json.loads(encoded) == message  # nothing left out, nothing made up


def test_every_message_and_close_code_is_explained() -> None:
    prose = TEXT.partition(schema.BEGIN)[0]
    floor = (rows.Floor, rows.FloorUpdate)
    for kind in (*messages.ClientMessage.__args__, *messages.Numbered.__args__, messages.Welcome, *floor):
        assert f"`{kind.__struct_config__.tag}`" in prose or f'"type": "{kind.__struct_config__.tag}"' in prose
    for code in (1001, 1009, 1011, 4400, 4401, 4403, 4408, 4409, 4429):
        assert f"| {code} |" in prose


def test_the_schema_refuses_what_is_no_message() -> None:
    validator = Draft202012Validator(schema.schema())
    for wrong in (
        {"type": "ack"},
        {"type": "pop", "seq": 1},
        {"type": "notice", "level": "info", "code": "", "text": ""},
    ):
        assert not validator.is_valid(wrong)
