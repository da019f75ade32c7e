"""The servers of a platform: what each one runs, which ports it opens and how it is asked whether it is ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.addresses import PortTable


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that a server opens, and what a person would call it."""

    port: int
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One child gunicorn.

    `caller` is the internal certificate with which its `/health` is asked; None asks over plain HTTP on its first listener.
    """

    name: str
    config: str
    application: str
    listeners: tuple[Listener, ...]
    caller: str | None

    @property
    def is_public(self) -> bool:
        """Whether it listens to the outside, not only to other servers."""
        return self.caller is None

    @property
    def arguments(self) -> list[str]:
        """The arguments of gunicorn."""
        return ["-c", f"python:{self.config}", self.application]


def servers_of(ports: PortTable) -> tuple[Server, ...]:
    """Return the servers in the order in which they start: whoever is called before whoever calls."""
    return (
        _internal("bank", "bank_backend.server", "bank_backend.wsgi:bank()", ports.bank, "the mock bank"),
        _internal("admin", "gateway.admin.server", "gateway.wsgi:admin()", ports.admin, "the gateway's control API"),
        _authorization(ports),
        _internal("portal", "sandbox.portal.server", "sandbox.wsgi:portal()", ports.portal_internal, "portal and registration"),
        _internal("demo", "tpp_client.web.server", "tpp_client.web.wsgi:demo()", ports.demo_internal, "the demo app"),
        _edge(ports),
    )


def _internal(name: str, config: str, application: str, port: int, purpose: str, *, caller: str = "portal") -> Server:
    listener = Listener(port, f"{purpose} (internal)")
    return Server(name=name, config=config, application=application, listeners=(listener,), caller=caller)


def _authorization(ports: PortTable) -> Server:
    application, purpose = "gateway.wsgi:authorization()", "the authorization server"
    return _internal("authorization", "gateway.oauth.server", application, ports.authorization, purpose, caller="gateway")


def _edge(ports: PortTable) -> Server:
    return Server(
        name="edge",
        config="gateway.edge.server",
        application="gateway.edge.asgi:application()",
        listeners=(
            Listener(ports.welcome, "the welcome page, CRLs and OCSP"),
            Listener(ports.portal, "the portal"),
            Listener(ports.front, "browsers: authorization and the bank's pages"),
            Listener(ports.edge, "TPPs: mutual TLS"),
            Listener(ports.demo, "browsers: the demo app"),
        ),
        caller=None,
    )
