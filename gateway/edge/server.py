"""gunicorn's settings for the edge: one server, five public sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config import load_settings
from gateway.edge.setup import edge_setup, ports_of

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

_settings = load_settings()

bind = [f"{_settings.bind_host}:{port}" for port in ports_of(_settings).values()]
workers = _settings.edge_workers
worker_class = "gateway.edge.worker.EdgeWorker"
worker_connections = _settings.max_connections
preload_app = True  # imported once and shared; it opens nothing before its worker's event loop runs
proc_name = "psd2-edge"
timeout = 30
graceful_timeout = 5
keepalive = 75  # the deadline is ours (GATEWAY_IDLE_SECONDS); gunicorn only has to believe in keep-alive
asgi_loop = "uvloop"
asgi_lifespan = "on"
asgi_disconnect_grace_period = 0
accesslog = None
errorlog = "-"
loglevel = "warning"
reuse_port = False
control_socket_disable = True


def on_starting(server: Arbiter) -> None:
    """Make what all workers share, before the first of them is forked."""
    server.cfg.edge_setup = edge_setup(_settings)


def on_reload(server: Arbiter) -> None:
    """Make it anew: gunicorn has read its settings again."""
    server.cfg.edge_setup = edge_setup(_settings)
