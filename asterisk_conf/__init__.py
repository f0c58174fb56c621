"""A complete configuration of a plain Asterisk for the service: commented samples, and what fills their gaps.

The samples are Asterisk's own files with ``{{name}}`` where a machine differs: a port, a directory, a password. The
same files are what an admin gets and what the tests run against, so what is documented is what is tested.
"""

from asterisk_conf.rendering import (
    SAMPLES,
    BadValue,
    additions,
    event_names,
    manager_addition,
    render,
    sample_paths,
    write,
)
from asterisk_conf.values import BROWSER_PHONES, PHONES, Values

__all__ = [
    "BROWSER_PHONES",
    "PHONES",
    "SAMPLES",
    "BadValue",
    "Values",
    "additions",
    "event_names",
    "manager_addition",
    "render",
    "sample_paths",
    "write",
]
