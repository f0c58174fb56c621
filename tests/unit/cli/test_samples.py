"""`callcenter asterisk-conf`: files with secrets, and nothing overwritten."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.cli.main import app
from callcenter.errors import BadFile, BadInput


def test_all_samples_are_written_and_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["asterisk-conf", str(tmp_path / "conf")])

    assert result.exit_code == 0
    assert "manager.conf" in result.output and "callcenter doctor" in result.output
    assert (tmp_path / "conf" / "manager.conf").exists()


@pytest.mark.parametrize("option", ["--freepbx", "--issabel"])
def test_a_distribution_gets_the_additions_alone(tmp_path: Path, option: str) -> None:
    result = CliRunner().invoke(app, ["asterisk-conf", str(tmp_path), option, "--secret", "s3cret"])

    assert result.exit_code == 0
    written = {path.name: path for path in tmp_path.iterdir()}
    assert set(written) == {"manager_custom.conf", "cel_general_custom.conf", "logger_general_custom.conf"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in written.values()} == {0o640}
    text = written["manager_custom.conf"].read_text(encoding="utf-8")
    assert "timestampevents = yes" in text and "[callcenter]\nsecret = s3cret\n" in text
    assert f"docs/install/{option[2:]}.md" in result.output


def test_a_pbx_is_not_both(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["asterisk-conf", str(tmp_path), "--freepbx", "--issabel"])

    assert isinstance(result.exception, BadInput) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", [[], ["--freepbx"], ["--issabel"]])
def test_a_second_time_is_refused_in_a_sentence(tmp_path: Path, option: list[str]) -> None:
    CliRunner().invoke(app, ["asterisk-conf", str(tmp_path), *option])
    before = {path: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}

    result = CliRunner().invoke(app, ["asterisk-conf", str(tmp_path), *option])

    assert isinstance(result.exception, BadFile) and "name a new directory" in str(result.exception)
    assert {path: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == before
