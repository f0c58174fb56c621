"""What the simulated PBX answers to who reads its configuration by dialplan functions: the sample's. Pure."""

from typing import Final

_CONFIGURED: Final = {
    "manager.conf,general,timestampevents": "yes",
    "manager.conf,callcenter,deny": "0.0.0.0/0.0.0.0",
    "manager.conf,callcenter,writetimeout": "5000",
    "cel.conf,general,enable": "yes",
    "cel.conf,general,apps": "dial,queue,voicemail,park,background,playback,chanspy,confbridge",
    "cel.conf,general,events": "ALL",
    "logger.conf,general,queue_log": "yes",
}
_LOADED: Final = ("func_config", "app_queue", "bridge_simple", "bridge_builtin_features", "cel_custom")

SAMPLE_FUNCTIONS: Final = {
    **{f"AST_CONFIG({name})": value for name, value in _CONFIGURED.items()},
    **{f"IFMODULE({name}.so)": "1" for name in _LOADED},
    "FEATUREMAP(atxfer)": "*2",
    "DIALPLAN_EXISTS(from-internal)": "1",
}
"""Function as it stands in Getvar → its value; every other one is empty."""
