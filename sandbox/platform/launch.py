"""Starting a platform from a terminal: in the foreground and in the background."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

import orjson

from sandbox.config import service_environment
from sandbox.platform.child import python
from sandbox.platform.events import Event, EventKind
from sandbox.platform.fleet import StartFailed
from sandbox.platform.plan import Plan
from sandbox.platform.readiness import HealthOverTheWire
from sandbox.platform.servers import servers_of
from sandbox.platform.state import HomeNotUsable
from sandbox.platform.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psd2.clock import Clock
    from sandbox.config import SandboxSettings
    from sandbox.platform.events import Listener
    from sandbox.services import Services

_STOP_SECONDS = 20.0
_TAIL_BYTES = 4_096


def run_in_foreground(settings: SandboxSettings, *, clock: Clock, tell: Listener) -> None:
    """Run the platform until a signal asks to stop; raises what kept it from starting."""
    operator = _Operator(settings, tell)
    plan = Plan(
        home=settings.home,
        base_port=settings.base_port,
        servers=servers_of(settings.ports),
        environment=service_environment(settings),
        prepare=operator.make_certificates,
        introduce=operator.introduce,
    )
    Supervisor(plan, health=HealthOverTheWire(settings.home), clock=clock, tell=tell).run()


class _Operator:
    """The steps that need the sandbox's own database, which is migrated only when the first of them is due."""

    def __init__(self, settings: SandboxSettings, tell: Listener) -> None:
        self._settings = settings
        self._tell = tell

    @cached_property
    def _services(self) -> Services:
        # Imported late: the migrations run meanwhile, and a port that is taken is told at once.
        from sandbox.bootstrap import build_services

        return build_services(self._settings)

    def make_certificates(self) -> None:
        self._services.authority.ensure_hierarchy()

    def introduce(self) -> None:
        self._introduce_authority()
        self._introduce_demo_app()
        # Nothing of it is needed any more, and servers wait for the callers of open connections when they stop.
        self._services.close()
        del self._services

    def _introduce_authority(self) -> None:
        from sandbox.tpps.client_data import client_data
        from sandbox.tpps.folder import TppFolder

        self._services.trust.deliver_all()
        for tpp in self._services.register.all():
            try:
                TppFolder(self._settings.home, tpp.name).refresh_client(client_data(tpp, self._services.addresses))
            except OSError as error:  # one TPP's file, and no reason to keep all others waiting
                self._tell(Event(EventKind.DIED, f"the folder of {tpp.name} is not up to date ({error})"))

    def _introduce_demo_app(self) -> None:
        """Register the demo app's TPP; where that fails the platform is of use all the same, and the app says so itself."""
        from sandbox.tpps.demo_app import ensure_demo_app

        try:
            ensure_demo_app(self._services)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the platform
            self._tell(Event(EventKind.DIED, f"the demo app has no TPP to be ({type(error).__name__}: {error})"))


def run_in_background(settings: SandboxSettings, *, tell: Listener) -> None:
    """Start a platform that outlives this process; return when it is ready, raise `StartFailed` when it isn't."""
    console = _console(settings)
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as events, console.open("ab") as output:
        begins_at = output.tell()
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            [
                *python("sandbox.cli", "up", "--announce-to", str(writer)),
                *("--home", str(settings.home.path), "--base-port", str(settings.base_port)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(writer,),
            start_new_session=True,
        )
        os.close(writer)
        try:
            _await_ready(events, tell)
        except EOFError:
            process.wait(timeout=_STOP_SECONDS)
            raise StartFailed(
                f"the platform ended instead of starting; the end of {console}:\n{_tail(console, begins_at)}"
            ) from None
        except BaseException:  # Ctrl-C included: nothing is left half started
            process.terminate()
            process.wait(timeout=_STOP_SECONDS)
            raise


def _console(settings: SandboxSettings) -> Path:
    try:
        settings.home.log.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HomeNotUsable(f"home {settings.home.path} can't be written to ({error.strerror}: {error.filename})") from error
    return settings.home.log / "platform.console"


def _await_ready(lines: Iterator[bytes], tell: Listener) -> None:
    for line in lines:
        event = Event(**orjson.loads(line))
        if event.kind == EventKind.FAILED:
            raise StartFailed(event.text)
        tell(event)
        if event.kind == EventKind.READY:
            return
    raise EOFError


def _tail(console: Path, begins_at: int) -> str:
    with console.open("rb") as printed:
        printed.seek(max(begins_at, console.stat().st_size - _TAIL_BYTES))
        return printed.read(_TAIL_BYTES).decode(errors="replace").strip() or "it printed nothing"


class Announcements:
    """Tells the process that started us in the background, as JSON lines on a pipe, until we are ready."""

    def __init__(self, descriptor: int) -> None:
        """Write to this pipe."""
        self._pipe = os.fdopen(descriptor, "wb", buffering=0)

    def __call__(self, event: Event) -> None:
        """Pass an event on; once it is ready or nobody listens any more, drop it."""
        if self._pipe.closed:
            return
        with suppress(BrokenPipeError):
            self._pipe.write(orjson.dumps({"kind": event.kind, "text": event.text}) + b"\n")
        if event.kind in {EventKind.READY, EventKind.FAILED}:
            self._pipe.close()
