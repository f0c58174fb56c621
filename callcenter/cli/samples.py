"""`callcenter asterisk-conf`: the sample configuration, with secrets of its own."""

from pathlib import Path

import typer

from asterisk_conf import Values, write


def run(directory: Path, secret: str | None) -> None:
    """Write the samples and say what to do with them."""
    values = Values() if secret is None else Values(ami_secret=secret)
    written = write(directory, values=values)
    for path in written:
        typer.echo(path)
    if not written:
        typer.echo(f"All samples are in {directory} already; nothing was changed.")
        return
    typer.echo(
        "\nRead them before you copy them. The service needs the user `callcenter` of manager.conf; put its\n"
        "secret into callcenter.toml as [[pbx]] secret, reload Asterisk, and run `callcenter doctor`."
    )
