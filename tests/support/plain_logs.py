"""Logs of applications within a test's process: a line each, tracebacks as Python writes them.

Unconfigured, structlog draws every traceback in colours with all variables, which costs more than the request that failed.
"""

from __future__ import annotations

import structlog


def log_plainly() -> None:
    """Have every logger of this process write plain lines; a program that a test starts configures its own."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(),
        ]
    )
