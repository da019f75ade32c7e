"""Structured logs: one JSON object a line, on standard error or in a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

from chassis.log_files import LogFile
from chassis.told.trace_context import name_trace

if TYPE_CHECKING:
    from pathlib import Path


def configure_logging(service: str, path: Path | None = None) -> None:
    """Send this process's structured logs to `path`, which other processes may append to as well, or to standard error."""
    # A `LogFile` has of a text stream what is used of it: `write` and `flush`.
    stream = sys.stderr if path is None else cast("TextIO", LogFile(path))
    structlog.configure(
        processors=[
            name_trace,
            _naming(service),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )


def get_logger() -> Any:  # noqa: ANN401 - structlog's bound logger is dynamic
    """Return a structured logger: `get_logger().info("crl.taken", number=7)`."""
    return structlog.get_logger()


def _naming(service: str) -> structlog.typing.Processor:
    # A processor rather than a context variable: worker threads start with an empty context.
    def name_service(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    return name_service
