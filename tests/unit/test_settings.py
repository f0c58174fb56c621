"""A configuration that is wrong is refused with a sentence that says what to write."""

import re
import subprocess
from pathlib import Path

import pytest

from callcenter.errors import SettingsError
from callcenter.mistakes import misspelled
from callcenter.settings import Settings, load

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[pbx]]\ntrunk = ["a"]', "pbx.0.trunk: there is no such setting, trunks may be meant"),
        ("[webb]\nport = 1", "webb: there is no such setting, web may be meant"),
        ("[[retention.rules]]\nkeep_day = 400", "retention.rules.0.keep_day: there is no such setting, keep_days may"),
        ("[[retention.rules]]\nanswered = true", "retention.rules.0.keep_days: this must be given"),
        ('[pbx]\nhost = "pbx"', "pbx: write [[pbx]], in double brackets"),
        ("[[web]]\nport = 1", "web: write [web], in single brackets"),
        ('[[pbx]]\ntrunks = "mine"', "pbx.0.trunks: write a list, in brackets"),
        ("[[pbx]]\nsecret = 12345", "pbx.0.secret: write it in quotes"),
        ('[[pbx]]\nregion = "UK"', "pbx.0.region: 'UK' is no country: write the two capitals"),
        ('[[pbx]]\nregion = "gb"', "'gb' is no country"),
        ('[[pbx]]\ntimezone = "Europe/Lundon"', "there is no time zone 'Europe/Lundon'"),
        ('[retention]\nat = "3:30"', "retention.at: write it like '03:30'"),
        ('reconcile_at = "noon"', "reconcile_at: write it like '03:30' or ''"),
        ('[log]\nlevel = "info"', "log.level: Input should be 'DEBUG', 'INFO'"),
        ('[web]\npublic_url = "calls.example.com"', "web.public_url: write it with its scheme"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_mend(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        load(file)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "CALLCENTER_WEB_PORT",
            "8090",
            "CALLCENTER_WEB_PORT in the environment is no setting: CALLCENTER_WEB__PORT may",
        ),
        ("CALLCENTER_DATABSE_URL", "x", "CALLCENTER_DATABASE_URL may be meant"),
        ("CALLCENTER_WEB__PROT", "8090", "web.prot: there is no such setting, port may be meant"),
        ("CALLCENTER_PBX", "host=pbx;secret=hush", "in the environment lists and tables are JSON"),
    ],
)
def test_a_mistake_in_the_environment_is_told_with_its_mend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=re.escape(sentence)) as told:
        load()
    assert "hush" not in str(told.value)


def test_names_of_the_environment_that_are_for_others_are_left_alone() -> None:
    """The repository's own, and those that Kubernetes makes for a service named `callcenter`."""
    grep = ("git", "grep", "-ohE", r"\bCALLCENTER_[A-Z_]+\b")
    used = set(subprocess.run(grep, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
    used -= {"CALLCENTER_WEB_PORT", "CALLCENTER_DATABSE_URL"}  # the slips above
    used.remove("CALLCENTER_CONFIG")  # which `load` leaves out
    assert "CALLCENTER_VENV" in used
    kubernetes = {"CALLCENTER_PORT", "CALLCENTER_SERVICE_HOST", "CALLCENTER_SERVICE_PORT", "CALLCENTER_PORT_8080_TCP"}
    assert misspelled(sorted(used | kubernetes), "CALLCENTER_", Settings) is None
