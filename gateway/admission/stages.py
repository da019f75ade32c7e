"""The stages of a request's way, in the order in which the gateway judges: where a request can end.

The order is that of `gateway.admission.admit` and, for the certificate, of `gateway.trust.judgement`.
"""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """A stage; declared in the order in which a request passes them."""

    NETWORK = "network"
    TLS = "tls"
    GATEWAY = "gateway"
    REQUEST = "request"
    ROUTE = "route"
    ADDRESS = "address"
    PRESENTED = "presented"
    BLOCK_LIST = "block_list"
    CERTIFICATE = "certificate"
    REVOCATION = "revocation"
    QWAC = "qwac"
    CONDITIONS = "conditions"
    REGISTER = "register"
    TOKEN = "token"  # noqa: S105 - a stage, no secret
    BINDING = "binding"
    ROLE = "role"
    SCOPE = "scope"
    SUBSCRIPTION = "subscription"
    LIMITS = "limits"
    SIGNATURE = "signature"
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
    Stage.ADDRESS: "Client's address allowed",
    Stage.PRESENTED: "Certificate presented and readable",
    Stage.BLOCK_LIST: "Certificate not blocked by the operator",
    Stage.CERTIFICATE: "Certificate trusted",
    Stage.REVOCATION: "Certificate not revoked",
    Stage.QWAC: "Certificate is a QWAC",
    Stage.CONDITIONS: "Certificate on the deployment's lists",
    Stage.REGISTER: "TPP registered and not blocked",
    Stage.TOKEN: "Access token in force",
    Stage.BINDING: "Token bound to this certificate and TPP",
    Stage.ROLE: "PSP role granted",
    Stage.SCOPE: "Token's scope covers the service",
    Stage.SUBSCRIPTION: "Subscribed to a plan for the service",
    Stage.LIMITS: "Within rates and quotas",
    Stage.SIGNATURE: "Request signed as the service demands",
    Stage.FORWARDING: "Forwarded to the service",
    Stage.SERVICE: "Answered by the service",
}
