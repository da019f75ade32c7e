"""Processes beside the test's own, forked off one that has imported what they need: to start one costs next to nothing."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext

# A module that reads settings is loaded by each process for itself.
_EDGE = ["gateway.edge.bootstrap", "gateway.edge.worker", "gateway.edge.setup", "gunicorn.app.wsgiapp"]
_TARGETS = ["tests.support.code_race", "tests.support.schedule_worker"]


def fork_server() -> ForkServerContext:
    """Return the context whose processes share nothing with this one: no connection, lock or thread."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_TARGETS, *_EDGE])
    return context
