"""The portal behind TLS on loopback, as the edge forwards to it, with fakes for bank, gateway and authority."""

from __future__ import annotations

import logging
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from tests.support.pki import Authority
from tests.support.portal import PortalUnderTest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class ServedPortal(PortalUnderTest):
    """A portal that a real browser can open at `origin`."""

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.settings.base_port}"


@contextmanager
def running_portal(folder: Path) -> Iterator[ServedPortal]:
    """Serve a portal until the block ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    certificate, key = Authority().server("localhost").write(folder, "portal")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = make_server("127.0.0.1", 0, _nothing, threaded=True, ssl_context=context)
    portal = ServedPortal(folder, base_port=server.port, database_url=f"sqlite:///{folder / 'portal.sqlite'}")
    server.app = _as_the_edge_forwards(portal)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield portal
    finally:
        server.shutdown()
        thread.join(timeout=60)
        server.server_close()
        portal.engine.dispose()


def _nothing(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    start("503 Service Unavailable", [])
    return [b""]


def _as_the_edge_forwards(portal: ServedPortal) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        return portal.app.wsgi_app(environ | {"HTTP_X_SANDBOX_LISTENER": "portal"}, start)

    return application
