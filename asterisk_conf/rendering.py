"""Fill the gaps of the samples and write them where Asterisk reads them."""

import re
from pathlib import Path

from asterisk_conf.values import Values

SAMPLES = Path(__file__).parent / "samples"
"""Directory of the samples, one file for each of Asterisk's own."""

_FILTER = re.compile(r"^eventfilter\(name\((\w+)\)", re.MULTILINE)
_GAP = re.compile(r"\{\{(\w+)\}\}")
# Passwords stand in some of the files: readable by their owner and group, not by everyone on the machine.
_MODE = 0o640


_CEL_ADDITION = """\
; Channel event logging, from which calls are rebuilt that went on while the service was away. No section stands here on
; purpose: this file is read within [general] of cel.conf. What is listed adds to what the distribution lists.
; After a change: asterisk -rx "module reload cel"
enable = yes
apps = dial,queue,voicemail,park
events = ALL
"""
_LOGGER_ADDITION = """\
; The queue log, which tells why callers left a queue. No section stands here on purpose: this file is read within
; [general] of logger.conf. After a change: asterisk -rx "logger reload"
queue_log = yes
"""


class BadValue(ValueError):
    """A value cannot stand in an Asterisk configuration file, or the sample names one that does not exist."""


def sample_paths() -> list[Path]:
    """Return the samples' paths, by name."""
    return sorted(SAMPLES.glob("*.conf"))


def render(sample: str, values: Values) -> str:
    """Return the text of a sample with its gaps filled.

    Raises:
        BadValue: A gap has no value, or its value would break out of its line.
    """
    texts = values.by_name()

    def fill(gap: re.Match[str]) -> str:
        name = gap[1]
        if name not in texts:
            raise BadValue(f"the sample asks for {name!r}, which has no value")
        return _one_value(name, texts[name])

    return _GAP.sub(fill, sample)


def write(directory: Path, *, values: Values, overwrite: bool = False) -> list[Path]:
    """Write the whole configuration to a directory, which is made if it is missing, and return the files' paths.

    Nothing is written if any file would be wrong, or is there already and ``overwrite`` is not set: an admin's own
    configuration is never half replaced.

    Raises:
        BadValue: A value cannot stand in a configuration file.
        FileExistsError: A file is there already.
    """
    texts = {directory / path.name: render(path.read_text(encoding="utf-8"), values) for path in sample_paths()}
    present = [path.name for path in texts if path.exists()]
    if present and not overwrite:
        raise FileExistsError(
            f"{directory} already has {', '.join(present)}. Choose an empty directory and compare, or ask to overwrite."
        )
    directory.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.touch(mode=_MODE)
        path.chmod(_MODE)
        path.write_text(text, encoding="utf-8")
    return list(texts)


def additions(values: Values) -> dict[str, str]:
    """Return what to add on FreePBX and Issabel, by the name of the file in /etc/asterisk that it belongs into.

    The files of these names are included by those that the distribution writes, within the section that is meant, and
    are left alone by it.

    Raises:
        BadValue: A value cannot stand in a configuration file.
    """
    return {
        "manager_custom.conf": manager_addition(values),
        "cel_general_custom.conf": _CEL_ADDITION,
        "logger_general_custom.conf": _LOGGER_ADDITION,
    }


def manager_addition(values: Values) -> str:
    """Return the text of ``manager_custom.conf``, for a PBX whose ``manager.conf`` FreePBX or Issabel writes.

    It is the service's user with its rights and filters, cut from the sample, and the time stamps added to the section
    that the distribution wrote.

    Raises:
        BadValue: A value cannot stand in a configuration file.
    """
    sample = (SAMPLES / "manager.conf").read_text(encoding="utf-8")
    start, end = sample.index("[callcenter]"), sample.index("; More users,")
    head = "; A Timestamp in each event, beside what the PBX's own manager.conf says.\n"
    head += "[general](+)\ntimestampevents = yes\n"
    return render(f"{head}\n{sample[start:end].rstrip()}\n", values)


def event_names() -> frozenset[str]:
    """Return the names of the events that the sample's filters let through."""
    return frozenset(_FILTER.findall((SAMPLES / "manager.conf").read_text(encoding="utf-8")))


def _one_value(name: str, text: str) -> str:
    if not text.isprintable():
        raise BadValue(f"{name} has a line break or another control character in it")
    if text != text.strip():
        raise BadValue(f"{name} begins or ends with a space, which Asterisk would drop")
    # A semicolon starts a comment, and a backslash before it takes that meaning away.
    return text.replace(";", r"\;")
