"""What the page says, in a language that it speaks."""

import json
from pathlib import Path
from typing import Any

LOCALES = Path(__file__).parents[2] / "screenpop/web/src/locales"


class Words:
    """The page's own texts: `words("phone.hold")`, `words("dial.call", number="+44 20 7946 0160")`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = json.loads((LOCALES / f"{language}.json").read_text("utf-8"))

    def __call__(self, key: str, **parts: str) -> str:
        found: Any = self._texts
        for name in key.split("."):
            found = found[name]
        text = str(found)
        for name, part in parts.items():
            text = text.replace(f"{{{name}}}", part)
        return text

    def key_of(self, group: str, text: str) -> str:
        """The name of a text within a group: `key_of("floor", "Answered")` is `answered`."""
        found: Any = self._texts
        for name in group.split("."):
            found = found[name]
        return next(str(name) for name, one in found.items() if one == text)
