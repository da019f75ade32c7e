"""The bank's pages behind TLS on loopback, with a gateway and a TPP just real enough to end a flow at."""

from __future__ import annotations

import logging
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from bank_backend.bootstrap import create_services
from bank_backend.config import BankSettings
from psd2.clock import SystemClock
from tests.support.bank_core import SeededBank, copy_of
from tests.support.bank_sca import BankDesk
from tests.support.pki import Authority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_RESUME, _CALLBACK = "/authorize/resume/", "/callback"


class FrontDesk(BankDesk):
    """A bank whose pages a real browser can open at `origin`; the TPP waits at another origin, `callback`."""

    port: int

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def callback(self) -> str:
        # The same server under another name: to a browser that is another origin.
        return f"https://127.0.0.1:{self.port}{_CALLBACK}"

    def open_visit(self, kind: str, resource: str) -> str:
        """Begin a visit and return the address of its page."""
        interaction = self.begin(kind, resource, return_url=f"{self.origin}{_RESUME}one-time")
        return f"{self.origin}/psu/{interaction}"


@contextmanager
def running_front(template: Path, folder: Path) -> Iterator[FrontDesk]:
    """Serve a copy of the seeded bank until the block ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    certificate, key = Authority().server("localhost").write(folder, "front")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = make_server("127.0.0.1", 0, _nothing, threaded=True, ssl_context=context)
    seeded = copy_of(template, folder)
    settings = BankSettings.model_validate({"base_port": server.port - 1})
    services = create_services(settings, seeded.database, SystemClock())
    desk = FrontDesk(SeededBank(services, seeded.clock))
    desk.port = server.port
    server.app = _as_the_gateway_forwards(desk)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        thread.join(timeout=60)
        server.server_close()
        seeded.database.engine.dispose()


def _nothing(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    start("503 Service Unavailable", [])
    return [b""]


def _as_the_gateway_forwards(desk: FrontDesk) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(_RESUME):
            start("303 See Other", [("Location", f"{desk.callback}?code=abc")])
            return [b""]
        if path == _CALLBACK:
            start("200 OK", [("Content-Type", "text/html")])
            return [b"<!doctype html><title>Fintech App</title><h1>Welcome back</h1>"]
        forwarded = {"chassis.caller": "gateway", "HTTP_X_SANDBOX_LISTENER": "front"}
        return desk.app.wsgi_app(environ | forwarded, start)

    return application
