"""How the service logs: one line per event, for people or for machines, through structlog alone."""

import logging
import re
import sys
from typing import Final

import structlog

from callcenter.settings import LogSettings

_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What ends a line, steers a terminal or turns the direction of writing."""

_UNUSUAL: Final = frozenset({"exc_info", "exception", "stack", "logger", "logger_name"})
"""Keys that make more than a line, or stand elsewhere in it."""
_QUOTED: Final = frozenset(" \t=\r\n\"'")
"""What makes a value end where it does not."""


def configure(settings: LogSettings) -> None:
    """Set up structlog, and bring what libraries log into the same form. Once, at the start of a command."""
    level = logging.getLevelNamesMapping()[settings.level]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        # a line that is written later than it was due brings its time with it
        structlog.processors.MaybeTimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[structlog.typing.Processor]
    if settings.format == "json":
        # In both shapes without locals, which would bring passwords, numbers and names into the log.
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last = [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.RichTracebackFormatter(show_locals=False)
        colors = sys.stderr.isatty()
        console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)
        last = [_escape, console if colors else PlainLine(console)]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_strip, *last]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))


class PlainLine:
    """The lines of structlog's console without its colors, the same to the letter, at a tenth of the time.

    `console` writes those with a traceback.
    """

    def __init__(self, console: structlog.dev.ConsoleRenderer) -> None:
        self._console = console

    def __call__(self, logger: structlog.typing.WrappedLogger, method: str, event: structlog.typing.EventDict) -> str:
        """One line, or more with a traceback."""
        if not _UNUSUAL.isdisjoint(event):
            return self._console(logger, method, event)
        stamp, level, text = event.pop("timestamp"), event.pop("level"), event.pop("event")
        pairs = "".join([f" {key}={_shown(event[key])}" for key in sorted(event)])
        return f"{stamp} [{level:<9}] {text!s:<30}{pairs}".rstrip(" ")


def _shown(value: object) -> str:
    return value if isinstance(value, str) and _QUOTED.isdisjoint(value) else repr(value)


def _escape(
    logger: structlog.typing.WrappedLogger, method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Write control characters as escapes: a text from outside must not begin a line of its own or move the cursor."""
    return {key: _CONTROLS.sub(_as_escape, value) if type(value) is str else value for key, value in event.items()}


def _as_escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _strip(
    logger: structlog.typing.WrappedLogger, method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, method, event)
