"""The sample configuration: what an admin gets is complete, private and never half replaced."""

import re
import stat
from pathlib import Path

import msgspec
import pytest

from asterisk_conf import PHONES, BadValue, Values, manager_addition, render, sample_paths, write


def read_all(paths: list[Path]) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def test_every_sample_is_written_with_every_gap_filled(tmp_path: Path) -> None:
    texts = read_all(write(tmp_path / "asterisk", values=Values()))

    assert sorted(texts) == [path.name for path in sample_paths()]
    assert [name for name, text in texts.items() if re.search(r"\{\{|\}\}", text)] == []


def test_every_value_is_asked_for_by_some_sample() -> None:
    gaps = {gap for path in sample_paths() for gap in re.findall(r"\{\{(\w+)\}\}", path.read_text(encoding="utf-8"))}

    assert gaps == set(Values().by_name())


def test_values_stand_where_they_belong(tmp_path: Path) -> None:
    values = Values(ami_port=5999, ami_secret="s3cret", http_enabled=True, trunk_host="198.51.100.7")

    texts = read_all(write(tmp_path, values=values))

    assert "port = 5999" in texts["manager.conf"].splitlines()
    assert "secret = s3cret" in texts["manager.conf"].splitlines()
    assert "enabled = yes" in texts["http.conf"].splitlines()
    assert "match = 198.51.100.7" in texts["pjsip.conf"].splitlines()


def test_passwords_are_made_up_and_all_different(tmp_path: Path) -> None:
    values = [Values(), Values()]
    secrets = [secret for each in values for secret in each.phone_secrets.values()]
    secrets += [secret for each in values for secret in (each.ami_secret, each.ami_phones_secret)]

    assert len(set(secrets)) == 2 * (2 + len(PHONES))
    assert min(map(len, secrets)) >= 24


def test_files_with_passwords_are_not_for_everyone(tmp_path: Path) -> None:
    written = write(tmp_path, values=Values())

    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o640}


def test_an_existing_configuration_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "extensions.conf"
    own.write_text("; mine\n", encoding="utf-8")

    with pytest.raises(FileExistsError, match=r"extensions\.conf"):
        write(tmp_path, values=Values())

    assert [path.name for path in tmp_path.iterdir()] == ["extensions.conf"]
    assert own.read_text(encoding="utf-8") == "; mine\n"


def test_an_existing_configuration_is_replaced_when_asked(tmp_path: Path) -> None:
    write(tmp_path, values=Values(ami_port=5999))
    write(tmp_path, values=Values(ami_port=5998), overwrite=True)

    assert "port = 5998" in (tmp_path / "manager.conf").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("secret", ["a\nwrite = all", "a\r", "a\0", "a\u2028b", " a", "a\t"])
def test_a_value_cannot_break_out_of_its_line(tmp_path: Path, secret: str) -> None:
    with pytest.raises(BadValue, match="ami_secret"):
        write(tmp_path / "new", values=Values(ami_secret=secret))

    assert not (tmp_path / "new").exists()


def test_a_semicolon_does_not_begin_a_comment() -> None:
    assert render("secret = {{ami_secret}}", Values(ami_secret="a;b")) == r"secret = a\;b"


def test_a_gap_without_a_value_is_an_error() -> None:
    with pytest.raises(BadValue, match="ami_sekret"):
        render("secret = {{ami_sekret}}", Values())


def test_each_phone_has_its_own_password() -> None:
    values = msgspec.structs.replace(Values(), phone_secrets={phone: f"of-{phone}" for phone in PHONES})
    pjsip = next(path for path in sample_paths() if path.name == "pjsip.conf")

    text = render(pjsip.read_text(encoding="utf-8"), values)

    assert re.findall(r"username = (\d+)\npassword = of-(\d+)\n", text) == [(phone, phone) for phone in PHONES]


def test_the_addition_for_freepbx_has_the_same_user_and_adds_to_the_general_section() -> None:
    values = Values(ami_secret="s3cret")
    sample = next(path for path in sample_paths() if path.name == "manager.conf").read_text(encoding="utf-8")

    addition = manager_addition(values).splitlines()

    settings = [line for line in addition if line and not line.startswith(";")]
    assert settings[:4] == ["[general](+)", "timestampevents = yes", "[callcenter]", "secret = s3cret"]
    assert "write = call,agent,originate,reporting" in settings
    assert [line for line in settings if line.startswith("eventfilter")] == [
        line for line in sample.splitlines() if line.startswith("eventfilter")
    ]
