"""What a document of the kind `relays` may say."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from gateway.configuration.bodies import DocumentBody
from gateway.policies.model import Listener  # noqa: TC001 - read by pydantic
from gateway.policies.networks import read_network
from gateway.relays.model import Form  # noqa: TC001 - read by pydantic


def _network(text: str) -> str:
    try:
        read_network(text)
    except ValueError as error:
        msg = f"write an address or a network like 10.0.0.0/8: {error}"
        raise ValueError(msg) from error
    return text


class CertificateHeaderBody(DocumentBody):
    """The client's certificate in a header, believed on connections whose own certificate the trust store vouches for."""

    form: Annotated[Form, Field(description="how it is written")]
    trust_store: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$"),
        Field(description="whose CAs vouch for relays: one that no deployment uses"),
    ]
    header: Annotated[
        str | None,
        StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$"),
        Field(description="name of the header, where it is not the one that the form usually has"),
    ] = None


class PrefaceBody(DocumentBody):
    """Connections that begin with a PROXY protocol header, version 1 or 2, which tells the client's address."""

    listeners: Annotated[list[Listener], Field(min_length=1)]
    networks: Annotated[
        list[Annotated[str, AfterValidator(_network)]],
        Field(min_length=1, max_length=1_000, description="where relays connect from: who comes from there has to send it"),
    ]


class RelayBody(DocumentBody):
    """Who stands in front of the gateway, and what of theirs is believed."""

    description: Annotated[str, Field(max_length=500)] = ""
    certificate: CertificateHeaderBody | None = None
    proxy_protocol: PrefaceBody | None = None
