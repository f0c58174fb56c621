"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration file (TOML); without: callcenter.toml here, if there is one."),
]
"""The configuration file."""
