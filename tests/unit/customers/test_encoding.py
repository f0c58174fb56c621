"""In which encoding a file is, and what is said where it is another."""

from pathlib import Path

import pytest

from callcenter.customers.importer.encoding import check_name, detect, pieces
from callcenter.errors import BadFile

CHINESE = "姓名,电话\n王小明,020 7946 0101\n李娜,07700 900102\n欧阳修,138 1234 5678\n"
WESTERN = "Name,Téléphone\nZoë Müller,020 7946 0101\nJosé Peña,07700 900102\nÅse Ærø,1\n"


@pytest.mark.parametrize(
    ("text", "written", "found"),
    [
        (CHINESE, "utf-8", "utf-8"),
        (WESTERN, "utf-8", "utf-8"),
        ("name,phone\nLi,1\n", "ascii", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8-sig"),
        (CHINESE, "utf-16", "utf-16"),
        (WESTERN, "utf-16-le", "utf-16-le"),
        (WESTERN, "utf-16-be", "utf-16-be"),
        (CHINESE, "gb18030", "gb18030"),
        (CHINESE, "gbk", "gb18030"),
        (WESTERN, "cp1252", "cp1252"),
        (WESTERN, "latin-1", "cp1252"),
        ("Name\nA\x81b é\n", "latin-1", "latin-1"),
    ],
)
def test_the_encoding_is_found_and_the_text_comes_out(tmp_path: Path, text: str, written: str, found: str) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes(text.encode(written))
    assert detect(file) == found
    assert "".join(piece for piece, _ in pieces(file, found)) == text


def test_evidence_at_the_end_of_a_long_file_counts(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes(b"name,phone\n" * 60_000 + "Müller,1\n".encode("cp1252"))
    assert detect(file) == "cp1252"


@pytest.mark.parametrize("before", [0, 60_000])
def test_a_wrong_encoding_is_named_with_line_and_byte(tmp_path: Path, before: int) -> None:
    file = tmp_path / "customers.csv"
    head = b"name,phone\n" * (before + 1)
    file.write_bytes(head + "Zoë Müller,1\n".encode("cp1252"))
    with pytest.raises(BadFile) as caught:
        for _ in pieces(file, "utf-8"):
            pass
    assert f"line {before + 2}, byte offset {len(head) + 2}: byte 0xeb is not utf-8" in str(caught.value)
    assert "--encoding" in str(caught.value)


def test_a_character_cut_off_at_the_end_is_named(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes("name\n王".encode()[:-1])
    with pytest.raises(BadFile, match="line 2, byte offset 5"):
        list(pieces(file, "utf-8"))


@pytest.mark.parametrize("name", ["klingon", "rot13", "base64", "", "utf-8\0"])
def test_an_unknown_encoding_is_refused(name: str) -> None:
    with pytest.raises(BadFile, match="no text encoding"):
        check_name(name)


def test_a_spreadsheet_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "customers.xlsx"
    file.write_bytes(b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)) * 20)
    with pytest.raises(BadFile, match="save the spreadsheet as CSV"):
        detect(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be opened"):
        detect(tmp_path / "nothing.csv")


def test_utf_16_without_its_mark_is_no_utf_16(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes(b"name\nLi\n")
    with pytest.raises(BadFile, match="is not utf-16"):
        list(pieces(file, "utf-16"))
