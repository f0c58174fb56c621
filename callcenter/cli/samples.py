"""`callcenter asterisk-conf`: the sample configuration, with secrets of its own."""

from pathlib import Path

import typer

from asterisk_conf import Values, additions, write
from callcenter.cli.pbx_kinds import Kind
from callcenter.errors import BadFile


def run(directory: Path, secret: str | None, kind: Kind) -> None:
    """Write the samples, or for FreePBX and Issabel the additions alone, and say what to do with them.

    Raises:
        BadFile: a file is there already; nothing was written.
    """
    values = Values() if secret is None else Values(ami_secret=secret)
    plain = kind is Kind.ASTERISK
    for path in _write_samples(directory, values) if plain else _write_additions(directory, values):
        typer.echo(path)
    if plain:
        told = "Read them before you copy them. The service needs the user `callcenter` of manager.conf"
    else:
        told = f"Add the lines of each to the file of its name in /etc/asterisk, which {kind.called} leaves alone"
    typer.echo(
        f"\n{told};\nput the secret into callcenter.toml as [[pbx]] secret, reload Asterisk\n"
        f"(asterisk -rx 'core reload'), and run `callcenter doctor`. More: docs/install/{kind.value}.md"
    )


def _write_samples(directory: Path, values: Values) -> list[Path]:
    try:
        return write(directory, values=values)
    except FileExistsError:
        raise BadFile(f"{directory} has such files already: name a new directory, and compare them") from None


def _write_additions(directory: Path, values: Values) -> list[Path]:
    texts = {directory / name: text for name, text in additions(values).items()}
    for path in texts:
        if path.exists():
            raise BadFile(f"{path} exists already: name a new directory, and compare them")
    directory.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        # One of them holds a password: readable by its owner and group, not by everyone on the machine.
        path.touch(mode=0o640)
        path.write_text(text, encoding="utf-8")
    return list(texts)
