"""What a document of the kind `trust-stores` says, field by field."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from gateway.configuration.bodies import DocumentBody
from gateway.trust.addresses import read_host, read_location
from gateway.trust.rules import DEFAULT_CHAIN_DEPTH, Method, Nonce, Profile, Scope, UnknownStatus

MOST_BUNDLES: Final = 50
MOST_TEXTS: Final = 100
_DAY: Final = 86_400

# A bundle's file may hold many certificates.
_Pem = Annotated[str, StringConstraints(min_length=1, max_length=200_000)]
_Url = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(lambda text: read_location(text).text)]
_Host = Annotated[str, StringConstraints(min_length=1, max_length=260), AfterValidator(read_host)]
_BundleName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$")]


class BundleBody(DocumentBody):
    """CA certificates that come and go together: those of one QTSP, or of one national list."""

    anchors: list[_Pem] = Field(
        default=[], max_length=MOST_TEXTS, description="CAs that are trusted by themselves, PEM; an entry may hold several"
    )
    intermediates: list[_Pem] = Field(
        default=[], max_length=MOST_TEXTS, description="CAs below the anchors, PEM: clients need not send them"
    )


class CrlBody(DocumentBody):
    """Revocation lists."""

    grace_seconds: float = Field(default=3_600, ge=0, le=7 * _DAY, description="time a list serves past its nextUpdate")
    fetch: bool = Field(default=False, description="fetch lists from the distribution points that certificates name")
    points: list[_Url] = Field(default=[], max_length=20, description="addresses to fetch lists from in any case")
    every_seconds: float = Field(default=3_600, ge=10, le=_DAY, description="how often a list is fetched")


class OcspBody(DocumentBody):
    """Online status."""

    responder: _Url | None = Field(default=None, description="whom to ask, instead of whom certificates name")
    nonce: Nonce = Field(default=Nonce.OFF, description="whether requests carry a nonce, and answers must repeat it (RFC 9654)")
    deadline_seconds: float = Field(default=2, ge=0.1, le=4, description="time that a responder has for its answer")
    refresh_seconds: float = Field(
        default=3_600, ge=5, le=_DAY, description="an older answer is asked for anew, still valid or not"
    )
    retry_seconds: float = Field(
        default=10, ge=1, le=600, description="time until a responder that gave no answer is asked again"
    )


class RevocationBody(DocumentBody):
    """How revocation is found out."""

    method: Method = Field(
        default=Method.CRL, description="both: a word of either is enough to refuse, and to admit where the other is silent"
    )
    unknown: UnknownStatus = Field(default=UnknownStatus.HARD, description="status unknown: hard refuses, soft admits")
    scope: Scope = Field(
        default=Scope.LEAF, description="whose status has to be known: the leaf's, or the whole chain's below its anchor"
    )
    crl: CrlBody = CrlBody()
    ocsp: OcspBody = OcspBody()
    internal_hosts: list[_Host] = Field(
        default=[], max_length=20, description="host:port that may be called although it is on no public network"
    )


class TrustStoreBody(DocumentBody):
    """Whom deployments trust that name this store."""

    description: str = Field(default="", max_length=500)
    profile: Profile = Field(default=Profile.PSD2, description="psd2: leaves are QWACs and QSealCs; client: any TLS client's")
    max_chain_depth: int = Field(
        default=DEFAULT_CHAIN_DEPTH, ge=0, le=8, description="CAs between a leaf and its anchor, at most"
    )
    bundles: dict[_BundleName, BundleBody] = Field(default={}, max_length=MOST_BUNDLES)
    revocation: RevocationBody = RevocationBody()
