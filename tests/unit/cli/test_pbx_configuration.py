"""`callcenter doctor`: what it makes of a PBX's configuration, for each kind of PBX."""

import pytest

from callcenter.cli import pbx_configuration
from callcenter.cli.findings import Verdict
from callcenter.cli.pbx_kinds import MENDS, Kind, Topic
from callcenter.settings import PbxSettings
from callcenter.simulator.functions import SAMPLE_FUNCTIONS

SETTINGS = PbxSettings()


def reading(**changed: str) -> pbx_configuration.Read:
    """A PBX that answers as the sample configuration would, but for what is changed."""
    functions = SAMPLE_FUNCTIONS | changed

    async def read(function: str) -> str:
        return functions.get(function, "")

    return read


async def told(kind: Kind, **changed: str) -> str:
    """What is wrong, with the mends."""
    found = await pbx_configuration.gather(reading(**changed), SETTINGS)
    assert found is not None
    findings = pbx_configuration.judge("pbx", kind, found, SETTINGS)
    return "\n".join(f"{one.what} → {one.mend}" for one in findings if one.verdict is not Verdict.GOOD)


@pytest.mark.parametrize("kind", Kind)
async def test_the_sample_is_in_order(kind: Kind) -> None:
    assert await told(kind) == ""


def test_each_topic_has_a_mend_at_each_kind() -> None:
    assert {kind: set(mends) for kind, mends in MENDS.items()} == {kind: set(Topic) for kind in Kind}


@pytest.mark.parametrize("kind", [Kind.FREEPBX, Kind.ISSABEL])
async def test_no_mend_sends_an_admin_to_a_file_that_is_written_anew(kind: Kind) -> None:
    broken = await told(
        kind,
        **{
            "AST_CONFIG(manager.conf,general,timestampevents)": "no",
            "AST_CONFIG(manager.conf,callcenter,writetimeout)": "100",
            "AST_CONFIG(cel.conf,general,events)": "CHAN_START",
            "AST_CONFIG(logger.conf,general,queue_log)": "no",
            "FEATUREMAP(atxfer)": "",
        },
    )
    assert broken.count("→") == 5
    for name in ("manager", "cel_general", "logger_general"):
        assert f"/etc/asterisk/{name}_custom.conf" in broken


async def test_of_what_stands_twice_the_last_counts_and_lists_add_up() -> None:
    assert await told(Kind.FREEPBX, **{"AST_CONFIG(cel.conf,general,enable,-1)": "no"}) != ""
    lines = {
        "AST_CONFIG(cel.conf,general,apps)": "mixmonitor",
        "AST_CONFIG(cel.conf,general,apps,0)": "mixmonitor,Queue",
    }
    assert "apps dial" in await told(Kind.FREEPBX, **lines)
    assert await told(Kind.FREEPBX, **lines, **{"AST_CONFIG(cel.conf,general,apps,1)": "dial, park"}) == ""


async def test_kinds_are_told_apart() -> None:
    assert await pbx_configuration.recognize(reading()) is Kind.ASTERISK
    family = {"DIALPLAN_EXISTS(macro-user-callerid)": "1"}
    assert await pbx_configuration.recognize(reading(**family)) is Kind.FREEPBX
    issabel = family | {"AST_CONFIG(issabelpbx_module_admin.conf,general,builtin)": "hidden"}
    assert await pbx_configuration.recognize(reading(**issabel)) is Kind.ISSABEL


async def test_a_pbx_that_cannot_be_read_is_not_judged() -> None:
    assert await pbx_configuration.gather(reading(**{"IFMODULE(func_config.so)": "0"}), SETTINGS) is None


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("22.10.1+dfsg", ""),
        ("20.11.0", ""),
        ("18.20.1", "eventfilter"),
        ("certified/20.7-cert3", "eventfilter"),
        ("13.38.3", "older than any"),
        ("GIT-master-f36a736", ""),
    ],
)
def test_old_versions_are_doubted(version: str, said: str) -> None:
    findings = pbx_configuration.version_findings("pbx", version)
    assert [finding.verdict for finding in findings] == ([Verdict.DOUBT] if said else [])
    assert said in "".join(finding.what for finding in findings)
