"""What a document of the kind `upstreams` may say."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from gateway.configuration.bodies import DocumentBody
from gateway.configuration.model import NAME
from gateway.policies.model import Upstream as Service  # noqa: TC001 - read by pydantic
from gateway.policies.names import FaultyPattern, NamePattern
from gateway.upstreams.model import Balancing, TlsVersion

_SHA256_BYTES: Final = 32
_MOST_PEM: Final = 200_000


def _pattern(text: str) -> str:
    try:
        NamePattern.parse(text)
    except FaultyPattern as error:
        raise ValueError(str(error)) from error
    return text


def _pin(text: str) -> str:
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        size = 0
    if size != _SHA256_BYTES:
        msg = "write the SHA-256 of the key's SubjectPublicKeyInfo in base64, 44 characters (RFC 7469 §2.4)"
        raise ValueError(msg)
    return text


Host = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45})$")]
_Port = Annotated[int, Field(ge=1, le=65_535)]
_FileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
_DocumentName = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
_Seconds = Annotated[float, Field(gt=0, le=600)]
_Pem = Annotated[str, StringConstraints(min_length=1, max_length=_MOST_PEM)]


class TargetBody(DocumentBody):
    """A server that answers."""

    host: Annotated[Host, Field(description="name or address")]
    port: _Port = 443


class ClientCertificateBody(DocumentBody):
    """The certificate that the gateway shows to some of the targets; of several that fit, the first."""

    stored: Annotated[
        _DocumentName | None, Field(description="a document of certificates: its version that is current is shown")
    ] = None
    certificate: Annotated[
        _FileName | None,
        Field(description="instead, files certs/upstreams/NAME.crt and NAME.key in the gateway's home, read anew when renewed"),
    ] = None
    hosts: Annotated[
        list[Annotated[str, AfterValidator(_pattern)]],
        Field(min_length=1, max_length=10, description="hosts of targets: a name, or one with * at its start or end"),
    ]
    port: Annotated[_Port | None, Field(description="only on this port")] = None


class TlsBody(DocumentBody):
    """How a target proves who it is. There is no upstream without TLS."""

    authorities: Annotated[list[_Pem], Field(max_length=50, description="PEM of the CAs that may vouch for it")] = Field(
        default_factory=list
    )
    system_authorities: Annotated[bool, Field(description="whether the CAs of the operating system may vouch for it too")] = (
        False
    )
    server_name: Annotated[Host | None, Field(description="name in its certificate; otherwise the target's host")] = None
    pins: Annotated[
        list[Annotated[str, AfterValidator(_pin)]],
        Field(
            max_length=10,
            description="base64 SHA-256 of the public keys that it may have, beside chain and name: "
            "the present one and at least one more, kept for the day when the present one must go",
        ),
    ] = Field(default_factory=list)
    lowest_version: TlsVersion = TlsVersion.TLS_1_2
    highest_version: TlsVersion = TlsVersion.TLS_1_3


class TimesBody(DocumentBody):
    """How long each step may take, in seconds; otherwise the gateway's GATEWAY_UPSTREAM_…_SECONDS."""

    connect: Annotated[_Seconds | None, Field(description="to connect, or to wait for a connection")] = None
    head: Annotated[_Seconds | None, Field(description="until an answer begins; a deployment's own goes before it")] = None
    stall: Annotated[_Seconds | None, Field(description="between two pieces of an answer; a deployment's goes before it")] = (
        None
    )
    idle: Annotated[_Seconds | None, Field(description="that an unused connection is kept")] = None


class HealthBody(DocumentBody):
    """When a target that fails is left alone, as long as others are there; no request is sent merely to try it."""

    failures: Annotated[int, Field(ge=1, le=100, description="failures in a row")] = 3
    seconds: Annotated[float, Field(ge=0.1, le=3_600, description="before it is tried again")] = 10.0


class UpstreamBody(DocumentBody):
    """Servers that answer for the same, and how the gateway speaks with them."""

    description: Annotated[str, Field(max_length=500)] = ""
    targets: Annotated[list[TargetBody], Field(min_length=1, max_length=50)]
    service: Annotated[
        Service | None,
        Field(
            description="the internal service that the targets are instances of: then internal certificates prove both sides"
        ),
    ] = None
    tls: TlsBody | None = None
    client_certificates: Annotated[list[ClientCertificateBody], Field(max_length=50)] = Field(default_factory=list)
    pass_identity: Annotated[
        bool, Field(description="whether it is told who calls: X-Sandbox-… and Client-Cert; an internal service always is")
    ] = False
    host: Annotated[
        Host | None, Field(description="Host header that it gets; otherwise the name in its certificate, or its own host")
    ] = None
    balancing: Balancing = Balancing.LEAST_BUSY
    retries: Annotated[
        int, Field(ge=0, le=5, description="times that an idempotent request is sent to another target when one fails it")
    ] = 1
    seconds: TimesBody = TimesBody()
    health: HealthBody = HealthBody()
    connections: Annotated[
        int | None,
        Field(ge=1, le=10_000, description="that a worker opens to one target; otherwise GATEWAY_UPSTREAM_CONNECTIONS"),
    ] = None
