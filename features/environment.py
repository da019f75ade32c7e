"""Behave's hooks: a platform before the first scenario, stopped after the last.

`-D platform=DIR` uses a running platform instead, `-D compose=docker-compose` one in containers; both are left as they are.
`-D transcript=FILE` writes down every answer, for `python -m tests.support.judge_transcript FILE`.
"""

from __future__ import annotations

import atexit
import signal
import sys
from pathlib import Path
from typing import Any

from features.composed import lent_containers
from features.platforms import lent_platform, started_platform
from features.register import Register

_TERMINATED = 128 + signal.SIGTERM


def before_all(context: Any) -> None:
    lent = context.config.userdata.get("platform")
    # An end by a signal is an end by the front door too: nothing that was started stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    compose = context.config.userdata.get("compose")
    if compose:
        context.platform = lent_containers(compose)
    else:
        context.platform = lent_platform(Path(lent).resolve()) if lent else started_platform()
    atexit.register(context.platform.stop)
    transcript = context.config.userdata.get("transcript")
    context.register = Register(context.platform, transcript=Path(transcript).resolve() if transcript else None)


def after_all(context: Any) -> None:
    # Nothing to stop when the platform did not start.
    if "register" in context:
        context.register.close()
    if "platform" in context:
        context.platform.stop()
