"""Structured logs: one JSON object a line, on standard error or in a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from pathlib import Path


def configure_logging(service: str, path: Path | None = None) -> None:
    """Send this process's structured logs to `path` (appended to) or standard error."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    stream = sys.stderr if path is None else path.open("a", buffering=1, encoding="utf-8")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
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
