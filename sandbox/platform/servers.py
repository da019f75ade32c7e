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
        Server(
            name="bank",
            config="bank_backend.server",
            application="bank_backend.wsgi:bank()",
            listeners=(Listener(ports.bank, "the mock bank (internal)"),),
            caller="portal",
        ),
        Server(
            name="admin",
            config="gateway.admin.server",
            application="gateway.wsgi:admin()",
            listeners=(Listener(ports.admin, "the gateway's control API (internal)"),),
            caller="portal",
        ),
        Server(
            name="authorization",
            config="gateway.oauth.server",
            application="gateway.wsgi:authorization()",
            listeners=(Listener(ports.authorization, "the authorization server (internal)"),),
            caller="gateway",
        ),
        Server(
            name="portal",
            config="sandbox.portal.server",
            application="sandbox.wsgi:portal()",
            listeners=(Listener(ports.portal_internal, "portal and registration (internal)"),),
            caller="portal",
        ),
        Server(
            name="edge",
            config="gateway.edge.server",
            application="gateway.edge.asgi:application()",
            listeners=(
                Listener(ports.welcome, "the welcome page, CRLs and OCSP"),
                Listener(ports.portal, "the portal"),
                Listener(ports.front, "browsers: authorization and the bank's pages"),
                Listener(ports.edge, "TPPs: mutual TLS"),
            ),
            caller=None,
        ),
    )
