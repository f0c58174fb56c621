"""The pages say what is there: links lead somewhere, and settings, commands and metrics are all told of."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from typer.main import get_command

from callcenter.calllog.writer import CallLogWriter
from callcenter.cli.main import app
from callcenter.fanout import FanOut
from callcenter.joints.health import meters
from callcenter.joints.webhooks import webhook_meters
from callcenter.settings import Settings
from callcenter.web.telemetry import build_registry
from crm_bridge.webhooks.worker import Counters
from screenpop.telemetry import Telemetry

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / line
    for line in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    if (ROOT / line).exists()
]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """What `#…` may name in a page, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in LINK.findall(FENCED.sub("", read(page))):
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        if not target.exists() or (anchor and anchor not in anchors(read(target))):
            lost.append(link)
    assert lost == []


def test_every_page_can_be_reached_from_the_first() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop().resolve()
        if page in reached:
            continue
        reached.add(page)
        links = [link.partition("#")[0] for link in LINK.findall(FENCED.sub("", read(page)))]
        ahead += [page.parent / link for link in links if link.endswith(".md")]
    ours = {page for page in PAGES if page.parts[len(ROOT.parts)] == "docs"}
    assert {str(page.relative_to(ROOT)) for page in ours - reached} == set()


def settings_of(model: type[BaseModel], section: str = "At the top") -> Iterator[tuple[str, str, Any]]:
    """Section, name and default of each setting, in the form of the TOML file."""
    for name, field in model.model_fields.items():
        default = field.default if field.default_factory is None else {}
        if isinstance(default, BaseModel):
            yield from settings_of(type(default), f"[{name}]")
        elif name in ("pbx", "rules"):
            (inner,) = [one for one in (field.annotation.__args__ if field.annotation else ()) if one is not ...]
            above = "" if section == "At the top" else section.strip("[]") + "."
            yield from settings_of(inner, f"[[{above}{name}]]")
        elif field.is_required():
            yield section, name, None
        else:
            yield section, name, default


def written(default: Any) -> str:
    """A default as the page shows it."""
    if default is None:
        return "none"
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    return f"`{json.dumps(str(default) if isinstance(default, Path) else default)}`"


def rows(page: str) -> dict[tuple[str, str], str]:
    """(Section, setting) → default, as the page has them."""
    found = {}
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        heading = part.partition("\n")[0]
        for name, default in re.findall(r"^\| `(\w+)` \| (.*?) \| .+ \|$", part, re.MULTILINE):
            found[heading, name] = default
    return found


def test_every_setting_is_told_of_with_its_default_and_no_other_is() -> None:
    told = rows(read(ROOT / "docs" / "configuration.md"))
    assert told == {(section, name): written(default) for section, name, default in settings_of(Settings)}


def commands(group: Any, path: str) -> Iterator[str]:
    """The full names of all commands."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


def test_every_command_is_told_of() -> None:
    told = "\n".join(read(page) for page in PAGES)
    assert [name for name in commands(get_command(app), "callcenter") if name not in told] == []


def test_every_told_command_exists() -> None:
    first = {name.split()[1] for name in commands(get_command(app), "callcenter")}
    told = {word for page in PAGES for word in re.findall(r"(?:^ {4}|`|/bin/)callcenter ([a-z][a-z-]*)", read(page))}
    assert told - first == set()


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    wanted += [one for one in project["dependency-groups"]["dev"] if isinstance(one, str)]
    reasons = read(ROOT / "docs" / "decisions" / "0002-dependencies.md")
    names = [re.split(r"[<>=]", one)[0] for one in wanted]
    assert [name for name in names if f"`{name}`" not in reasons] == []


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\]\((\d{4}[\w-]*\.md)\)", read(folder / "README.md")))
    assert listed == {path.name for path in folder.glob("0*.md")}


def metrics() -> set[str]:
    """The names of all metrics, as they are scraped."""
    database: Any = None
    registry = build_registry((*meters({}, {}, FanOut(), CallLogWriter(database, 1)), *webhook_meters(Counters())))
    Telemetry(registry)
    return {f"{family.name}_total" if family.type == "counter" else family.name for family in registry.collect()}


def test_every_told_line_of_the_log_exists() -> None:
    part = read(ROOT / "docs" / "operations.md").partition("## The log")[2].partition("\n## ")[0]
    told = {name for row in re.findall(r"^\| (`.+?`) \|", part, re.MULTILINE) for name in re.findall(r"`(.+?)`", row)}
    folders = ("callcenter", "crm_bridge", "screenpop")
    sources = "".join(read(path) for folder in folders for path in (ROOT / folder).rglob("*.py"))
    assert told
    assert [name for name in sorted(told) if f'"{name}"' not in sources] == []


def test_every_metric_is_told_of_and_no_other_is() -> None:
    told = re.findall(r"^\| `(callcenter_\w+)", read(ROOT / "docs" / "operations.md"), re.MULTILINE)
    assert sorted(told) == sorted(metrics())
