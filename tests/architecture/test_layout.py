"""The repository is as design and style promise: no giant files, no vague names, no skipped or unfinished work."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    ROOT / line
    for line in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    if (ROOT / line).exists()
]
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500
    assert path.stem not in VAGUE


def test_own_modules_are_never_patched_in_tests() -> None:
    tests = [path for path in SOURCES if "tests" in path.parts and path != Path(__file__)]
    patched = re.compile(r"mock\.patch|monkeypatch\.setattr\((\"|')(callcenter|screenpop|crm_bridge)")
    assert [str(path) for path in tests if patched.search(path.read_text(encoding="utf-8"))] == []


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|X{3}|NotImplemented" r"Error)\b")
    assert [str(path) for path in SOURCES if marks.search(path.read_text(encoding="utf-8"))] == []


def test_log_events_are_names_and_not_sentences() -> None:
    call = re.compile(r"\b_?log(?:ger)?\.(?:debug|info|warning|error|exception)\(\s*f?\"([^\"]*)\"")
    product = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in ("callcenter", "screenpop", "crm_bridge")]
    events = [event for path in product for event in call.findall(path.read_text(encoding="utf-8"))]
    assert "service_ready" in events
    assert [event for event in events if not re.fullmatch(r"[a-z][a-z0-9_]*", event)] == []
