"""`callcenter asterisk-conf`: the sample configuration, with secrets of its own."""

from pathlib import Path

import typer

from asterisk_conf import Values, manager_addition, write
from callcenter.errors import BadFile

ADDITION = "manager_custom.conf"
"""The file that a `manager.conf` written by FreePBX or Issabel includes, and that they leave alone."""


def run(directory: Path, secret: str | None, freepbx: bool) -> None:
    """Write the samples, or the addition alone, and say what to do with them.

    Raises:
        BadFile: a file is there already; nothing was written.
    """
    values = Values() if secret is None else Values(ami_secret=secret)
    for path in [_write_addition(directory, values)] if freepbx else _write_samples(directory, values):
        typer.echo(path)
    if freepbx:
        told = f"Add its lines to /etc/asterisk/{ADDITION}, which the PBX's own manager.conf includes"
    else:
        told = "Read them before you copy them. The service needs the user `callcenter` of manager.conf"
    typer.echo(
        f"\n{told};\nput the secret into callcenter.toml as [[pbx]] secret, reload Asterisk's manager\n"
        "(asterisk -rx 'manager reload'), and run `callcenter doctor`."
    )


def _write_samples(directory: Path, values: Values) -> list[Path]:
    try:
        return write(directory, values=values)
    except FileExistsError:
        raise BadFile(f"{directory} has such files already: name a new directory, and compare them") from None


def _write_addition(directory: Path, values: Values) -> Path:
    path = directory / ADDITION
    directory.mkdir(parents=True, exist_ok=True)
    try:
        # It holds a password: readable by its owner and group, not by everyone on the machine.
        path.touch(mode=0o640, exist_ok=False)
    except FileExistsError:
        raise BadFile(f"{path} exists already: name a new directory, and compare them") from None
    path.write_text(manager_addition(values), encoding="utf-8")
    return path
