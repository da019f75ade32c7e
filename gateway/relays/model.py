"""Relays as the edge knows them: parsed once, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.policies.model import Listener
    from gateway.policies.networks import NetworkSet


class Form(StrEnum):
    """How a relay writes the client's certificate into a header."""

    RFC9440 = "rfc9440"
    XFCC = "xfcc"
    NGINX = "nginx"
    AWS_ALB = "aws-alb"
    BASE64_DER = "base64-der"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateHeader:
    """Where the client's certificate is, and whose certificates may bring it. `name` is in lower case."""

    form: Form
    name: bytes
    trust_store: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preface:
    """Connections to these listeners from these networks begin with a PROXY protocol header."""

    listeners: frozenset[Listener]
    networks: NetworkSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """One relay, or a group of alike ones."""

    name: str
    description: str = ""
    certificate: CertificateHeader | None = None
    preface: Preface | None = None
