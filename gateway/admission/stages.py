"""The stages of a request's way, in their order: each ground of `grounds.toml` belongs to exactly one, where it ends."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """A stage; declared in the order in which a request passes them."""

    NETWORK = "network"
    TLS = "tls"
    GATEWAY = "gateway"
    REQUEST = "request"
    ROUTE = "route"
    CERTIFICATE = "certificate"
    REVOCATION = "revocation"
    BLOCK_LIST = "block_list"
    REGISTER = "register"
    TOKEN = "token"  # noqa: S105 - a stage, no secret
    BINDING = "binding"
    ROLE = "role"
    SCOPE = "scope"
    FORWARDING = "forwarding"
    SERVICE = "service"

    @property
    def place(self) -> int:
        """Its place in the order, from 0."""
        return _PLACES[self]

    @property
    def label(self) -> str:
        """What is so once it is passed, in words for people."""
        return _LABELS[self]


_PLACES = {stage: place for place, stage in enumerate(Stage)}
_LABELS = {
    Stage.NETWORK: "Connection accepted",
    Stage.TLS: "TLS handshake",
    Stage.GATEWAY: "Gateway able to judge",
    Stage.REQUEST: "Request readable",
    Stage.ROUTE: "Address and method known",
    Stage.CERTIFICATE: "Certificate trusted",
    Stage.REVOCATION: "Certificate not revoked",
    Stage.BLOCK_LIST: "Not blocked by the operator",
    Stage.REGISTER: "TPP registered",
    Stage.TOKEN: "Access token in force",
    Stage.BINDING: "Token bound to this certificate and TPP",
    Stage.ROLE: "PSP role granted",
    Stage.SCOPE: "Token's scope covers the service",
    Stage.FORWARDING: "Forwarded to the service",
    Stage.SERVICE: "Answered by the service",
}
