"""Reading a registration: every field checked, every fault named at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from psd2.authorisation_number import AuthorisationNumber
from psd2.ncas import NCAS
from psd2.roles import PspRole, parse_role
from sandbox.ca.faults import NOT_IN_THE_REGISTER
from sandbox.tpps.errors import Fault, RegistrationRefused
from sandbox.tpps.model import Amendment, ClientAmendment, Profile, RegistrationRequest
from sandbox.tpps.pasted_keys import require_public

if TYPE_CHECKING:
    from collections.abc import Mapping

# A name is a folder and a label of a domain name at the same time.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# Printable ASCII but what has a meaning outside of a URI: it is written into headers and pages.
_URI_TEXT = re.compile(r"[!#-;=?-\[\]_a-z~%]{1,2000}")
_LONGEST_ORGANISATION = 64  # ub-organization-name (RFC 5280 appendix A.1)
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST_REDIRECT_URIS = 10
_LARGEST_SEED = 2**31 - 1
_LARGEST_METADATA = 65_536
# The register tells the gateway of these by itself.
_SAID_ELSEWHERE = frozenset({"client_id", "authorisation_number", "name", "redirect_uris", "profile", "status"})


def _name(text: object) -> str:
    if not isinstance(text, str) or _NAME.fullmatch(text) is None:
        raise ValueError("write 1 to 40 small letters, digits and inner hyphens, for example acme-pay")
    return text


def _organisation(text: object) -> str:
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST_ORGANISATION or not text.isprintable():
        raise ValueError(f"write 1 to {_LONGEST_ORGANISATION} printable characters, for example Acme Payments GmbH")
    return text.strip()


def _number(text: object) -> AuthorisationNumber:
    if not isinstance(text, str):
        raise ValueError("write an authorisation number, for example PSDDE-BAFIN-123456")  # noqa: TRY004 - pydantic's
    number = AuthorisationNumber.parse(text)
    if number.nca_id not in NCAS:
        alike = ", ".join(known for known in NCAS if known.startswith(number.country)) or ", ".join(NCAS)
        raise ValueError(f"{number.nca_id} is no competent authority of TS 119 495; known are {alike}")
    if number.identifier == NOT_IN_THE_REGISTER:
        raise ValueError(f"{number.identifier} is whom test certificates with a wrong name are for: take another identifier")
    if "/" in number.identifier:
        raise ValueError("an identifier with a slash can't stand in the paths of the registration API: leave it out")
    return number


def _roles(value: object) -> frozenset[PspRole]:
    names = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError("write one or more of AISP, PISP, CBPII, as a list")
    return frozenset(parse_role(name) for name in names)


def _redirect_uri(text: object) -> str:
    if not isinstance(text, str) or _URI_TEXT.fullmatch(text) is None:
        raise ValueError("write an absolute URI of at most 2000 ASCII characters")
    uri = urlsplit(text)
    if "#" in text:
        raise ValueError("a redirect URI has no fragment (RFC 6749 §3.1.2)")
    if not uri.hostname or uri.username is not None or uri.password is not None:
        raise ValueError("write an absolute URI with a host and without user name, for example https://tpp.example/callback")
    if uri.scheme != "https" and not (uri.scheme == "http" and uri.hostname in _LOOPBACK_HOSTS):
        raise ValueError("use https; http is for loopback addresses only, for example http://127.0.0.1:8080/callback")
    if "*" in uri.netloc or uri.port == 0:
        raise ValueError("name one host, without wildcard, and a port from 1 to 65535 if any")
    return text


def _client_metadata(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ValueError(
            'write an object of client metadata (RFC 7591 §2), for example {"jwks_uri": "https://tpp.example/jwks"}'
        )
    if said := sorted(_SAID_ELSEWHERE & value.keys()):
        raise ValueError(f"{', '.join(said)} is said by the registration itself: leave it out here")
    require_public(value.get("jwks"))  # before it is kept anywhere, be it for a moment
    if len(orjson.dumps(value)) > _LARGEST_METADATA:
        raise ValueError(f"write at most {_LARGEST_METADATA} bytes")
    return value


class _Registration(BaseModel):
    """The JSON form of a registration."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, frozen=True)

    name: Annotated[str, BeforeValidator(_name)]
    organisation: Annotated[str, BeforeValidator(_organisation)] | None = None
    authorisation_number: Annotated[AuthorisationNumber, BeforeValidator(_number)]
    roles: Annotated[frozenset[PspRole], BeforeValidator(_roles)]
    redirect_uris: list[Annotated[str, BeforeValidator(_redirect_uri)]] = Field(min_length=1, max_length=_MOST_REDIRECT_URIS)
    profile: Profile = Profile.BERLIN
    seed: int | None = Field(default=None, ge=0, le=_LARGEST_SEED, strict=True)
    client_metadata: Annotated[dict[str, Any], BeforeValidator(_client_metadata)] = Field(default_factory=dict)


class _Amendment(BaseModel):
    """The changes that a TPP asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    organisation: Annotated[str, BeforeValidator(_organisation)]
    redirect_uris: list[Annotated[str, BeforeValidator(_redirect_uri)]] = Field(min_length=1, max_length=_MOST_REDIRECT_URIS)


class _ClientAmendment(BaseModel):
    """A client as it is to be; what is left out returns to its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: Profile
    client_metadata: Annotated[dict[str, Any], BeforeValidator(_client_metadata)] = Field(default_factory=dict)


def parse_client_amendment(document: Mapping[str, object]) -> ClientAmendment:
    """Read what a TPP wants its client to be; raises `RegistrationRefused` naming every wrong field."""
    try:
        given = _ClientAmendment.model_validate(document)
    except ValidationError as error:
        raise RegistrationRefused(tuple(_fault(fault["loc"], fault["msg"]) for fault in error.errors())) from error
    return ClientAmendment(profile=given.profile, client_metadata=given.client_metadata)


def parse_amendment(document: Mapping[str, object]) -> Amendment:
    """Read what a TPP wants to change of itself; raises `RegistrationRefused` naming every wrong field."""
    try:
        given = _Amendment.model_validate(document)
    except ValidationError as error:
        raise RegistrationRefused(tuple(_fault(fault["loc"], fault["msg"]) for fault in error.errors())) from error
    return Amendment(organisation=given.organisation, redirect_uris=tuple(dict.fromkeys(given.redirect_uris)))


def parse_registration(document: Mapping[str, object]) -> RegistrationRequest:
    """Read a registration as JSON carries it; raises `RegistrationRefused` naming every wrong field."""
    try:
        given = _Registration.model_validate(document)
    except ValidationError as error:
        raise RegistrationRefused(tuple(_fault(fault["loc"], fault["msg"]) for fault in error.errors())) from error
    return RegistrationRequest(
        name=given.name,
        organisation=given.organisation or given.name,
        authorisation_number=given.authorisation_number,
        roles=given.roles,
        redirect_uris=tuple(dict.fromkeys(given.redirect_uris)),
        profile=given.profile,
        seed=given.seed,
        client_metadata=given.client_metadata,
    )


def _fault(location: tuple[int | str, ...], text: str) -> Fault:
    return Fault(".".join(str(part) for part in location), text.removeprefix("Value error, "))
