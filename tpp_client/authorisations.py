"""Authorisation sub-resources: start, further with the PSU's data, follow (BG IG 1.3.8 §7, XS2A 1.3.11 `…/authorisations`).

With them a TPP leads the PSU through SCA without OAuth: embedded, decoupled, or by a plain redirect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from tpp_client.documents import Document, document_of
from tpp_client.refusals import require_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Xs2a

FINALISED, FAILED, EXEMPTED = "finalised", "failed", "exempted"
AUTHORISED = frozenset({FINALISED, EXEMPTED})  # an exempted one needs no second factor (BG IG §14.15)
# By preference: a link with which the bank lets a TPP start an authorisation (BG IG §4.15).
_STARTS = (
    "startAuthorisation",
    "startAuthorisationWithPsuIdentification",
    "startAuthorisationWithPsuAuthentication",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaMethod:
    """A way in which the PSU can prove its consent."""

    id: str
    type: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaStep:
    """Where an authorisation stands and, by its links, what the bank wants next.

    `links` maps relations such as `updatePsuAuthentication` to addresses; `message` is meant for the PSU.
    """

    approach: str | None
    status: str | None
    links: Mapping[str, str]
    methods: tuple[ScaMethod, ...] = ()
    chosen: ScaMethod | None = None
    challenge: str | None = None
    message: str | None = None

    @property
    def start(self) -> str | None:
        """The address at which the TPP starts the authorisation itself; None where the bank has started it."""
        return next((self.links[relation] for relation in _STARTS if relation in self.links), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PsuProof:
    """What the TPP passes on of the PSU; each member at its step. Secrets stay out of the repr."""

    psu: str | None = None
    password: str | None = field(default=None, repr=False)
    method: str | None = None
    code: str | None = field(default=None, repr=False)
    confirmation_code: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The PSU's name at the bank, where it is told (BG IG §7.2.1)."""
        return {"PSU-ID": self.psu} if self.psu else {}

    def as_json(self) -> dict[str, object]:
        """Return the request body."""
        body: dict[str, object] = {"psuData": {"password": self.password}} if self.password else {}
        plain = {
            "authenticationMethodId": self.method,
            "scaAuthenticationData": self.code,
            "confirmationCode": self.confirmation_code,
        }
        return body | {name: value for name, value in plain.items() if value is not None}


def sca_step(response: HttpResponse) -> ScaStep:
    """Read what an answer says about an authorisation: of a new resource, a start, an update."""
    document = document_of(response)
    links = document.optional_child("_links")
    return ScaStep(
        approach=response.headers.get("aspsp-sca-approach"),
        status=document.optional_text("scaStatus"),
        links=MappingProxyType({name: links.child(name).text("href") for name in links.fields}),
        methods=tuple(_method(each) for each in document.optional_children("scaMethods")),
        chosen=_method(document.child("chosenScaMethod")) if "chosenScaMethod" in document else None,
        challenge=document.optional_child("challengeData").optional_text("additionalInformation"),
        message=document.optional_text("psuMessage"),
    )


def _method(document: Document) -> ScaMethod:
    return ScaMethod(
        id=document.text("authenticationMethodId"),
        type=document.text("authenticationType"),
        name=document.optional_text("name") or document.text("authenticationType"),
    )


def authorisation_start_request(
    xs2a: Xs2a, address: str, proof: PsuProof, *, headers: Mapping[str, str] = MappingProxyType({})
) -> HttpResponse:
    """Start an authorisation at the address that a `startAuthorisation…` link gave, or at `…/authorisations`."""
    return xs2a.post(address, proof.as_json(), headers={**proof.headers, **headers})


def process_authorisation_start_response(response: HttpResponse) -> ScaStep:
    """Judge the start."""
    require_status(response, HTTPStatus.CREATED)
    return sca_step(response)


def psu_proof_request(xs2a: Xs2a, address: str, proof: PsuProof) -> HttpResponse:
    """Pass on what the bank asked for, to the address of its link (BG IG §7.2, §7.3)."""
    return xs2a.put(address, proof.as_json(), headers=proof.headers)


def process_psu_proof_response(response: HttpResponse) -> ScaStep:
    """Judge the update."""
    require_status(response, HTTPStatus.OK)
    return sca_step(response)


def sca_status_request(xs2a: Xs2a, address: str) -> HttpResponse:
    """Ask how far an authorisation is, at the address of its `scaStatus` link."""
    return xs2a.get(address)


def process_sca_status_response(response: HttpResponse) -> str:
    """Return the SCA status, such as `started` or `finalised` (BG IG §14.15)."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).text("scaStatus")


def authorisations_request(xs2a: Xs2a, address: str) -> HttpResponse:
    """Ask which authorisations a resource has, at its `…/authorisations`."""
    return xs2a.get(address)


def process_authorisations_response(response: HttpResponse) -> tuple[str, ...]:
    """Return their ids, oldest first."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).texts("authorisationIds")
