"""What a document of the kind `certificates` may say."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from gateway.certificates.model import Stage  # noqa: TC001 - read by pydantic
from gateway.configuration.bodies import DocumentBody

MOST_CHAIN: Final = 60_000
MOST_KEY: Final = 20_000
MOST_VERSIONS: Final = 10


class VersionBody(DocumentBody):
    """One version: a chain, and the private key of its leaf unless nothing is ever to be proved with it."""

    stage: Annotated[Stage, Field(description="current is in use; one may be pending, one previous, the others deprecated")]
    chain: Annotated[
        str, Field(min_length=1, max_length=MOST_CHAIN, description="PEM: the leaf, then each time the CA that issued it")
    ]
    key: Annotated[
        str | None,
        Field(min_length=1, max_length=MOST_KEY, description="PEM of the leaf's private key, not encrypted; never shown again"),
    ] = None


class CertificateBody(DocumentBody):
    """A certificate under a name that others refer to, so that a rotation is no edit of theirs."""

    description: Annotated[str, Field(max_length=500)] = ""
    versions: Annotated[list[VersionBody], Field(min_length=1, max_length=MOST_VERSIONS)]
