"""A supervisor over two tiny servers, run as a program of its own: its signals and its death are what the tests are about.

`python -m tests.support.fake_platform HOME PORT [BEHAVIOUR]` prints its events as JSON lines.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from chassis.home import Home
from psd2.clock import SystemClock
from sandbox.platform import fleet
from sandbox.platform.plan import Plan
from sandbox.platform.readiness import HealthOverTheWire
from sandbox.platform.servers import Listener, Server
from sandbox.platform.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from sandbox.platform.events import Event

_CONFIG, _APPLICATION = "tests.support.fake_server", "tests.support.fake_platform"


def healthy() -> WSGIApplication:
    """Answer everything at once, except `/slow`."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            time.sleep(120)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(os.getpid()).encode()]

    return answer


def broken() -> WSGIApplication:
    """Fail to start."""
    raise RuntimeError("the frobnicator is missing")


def servers(port: int, second: str) -> tuple[Server, ...]:
    """Two servers, both asked over plain HTTP."""
    return tuple(
        Server(
            name=name,
            config=f"{_CONFIG}_{name}",
            application=f"{_APPLICATION}:{application}()",
            listeners=(Listener(at, f"the {name} of the test"),),
            caller=None,
        )
        for name, application, at in (("first", "healthy", port), ("second", second, port + 1))
    )


def tell(event: Event) -> None:
    """Print an event."""
    sys.stdout.write(json.dumps({"kind": event.kind, "text": event.text}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run until told to stop."""
    home, port = Home(Path(sys.argv[1])), int(sys.argv[2])
    second = sys.argv[3] if len(sys.argv) > 3 else "healthy"
    if len(sys.argv) > 4:
        fleet._PUBLIC_STOP_SECONDS = float(sys.argv[4])
    environment = os.environ | {"FAKE_PORT": str(port), "PYTHONPATH": str(Path(__file__).parents[2])}
    plan = Plan(
        home=home,
        base_port=port,
        servers=servers(port, second),
        environment=environment,
        prepare=lambda: None,
        introduce=lambda: None,
        migrations=(),
    )
    try:
        Supervisor(plan, health=HealthOverTheWire(home), clock=SystemClock(), tell=tell).run()
    except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to read it
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
