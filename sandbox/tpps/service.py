"""Letting a TPP in, step by step. Every step may be repeated, so a registration that broke off continues where it was.

What can fail far away comes first: a private key is made only when nothing but this machine stands between it and its owner.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from chassis.peers import PeerUnavailable
from psd2.ids import new_secret
from psd2.ncas import NCAS
from sandbox.ca.errors import NotRevocable, UnknownCertificate
from sandbox.ca.model import CertificateStatus, RevocationReason, TppCertificateKind, TppSubject
from sandbox.tpps.errors import (
    AccessDenied,
    RegisterFull,
    RegistrationConflict,
    RegistrationInterrupted,
    TppBlocked,
    UnknownTpp,
)
from sandbox.tpps.model import Profile, Tpp, TppStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psd2.clock import Clock
    from sandbox.bank_client import Bank
    from sandbox.ca.model import CertificateRecord, Fault, IssuedCertificate
    from sandbox.gateway_client import Gateway
    from sandbox.tpps.model import RegistrationRequest

_TENANT, _TPP, _CLIENT = "bank tenant", "TPP at the gateway", "OAuth client"


class TppStore(Protocol):
    """Keeps the register."""

    def find(self, name_or_number: str) -> Tpp | None:
        """Return the TPP of this name or authorisation number."""

    def all(self) -> list[Tpp]:
        """Return every TPP, by name."""

    def of_organisation(self, organisation_id: str) -> list[Tpp]:
        """Return an organisation's TPPs, by name."""

    def count(self, *, organisation_id: str | None = None) -> int:
        """Count the numbers taken, by everybody or by one organisation; such as were left too."""

    def former(self, number: str) -> FormerTpp | None:
        """Return who had this number and has left."""

    def add(self, tpp: Tpp) -> None:
        """Take a new TPP in; raises `RegistrationConflict`."""

    def replace(self, tpp: Tpp) -> None:
        """Write everything about a TPP anew, its access token excepted."""

    def activate(self, tpp: Tpp) -> bool:
        """Make a registering TPP active; return False, and change nothing, where it is not registering."""

    def set_access_token(self, tpp: Tpp, sha256: str) -> None:
        """Keep the hash of the TPP's access token."""

    def access_token_sha256(self, tpp: Tpp) -> str | None:
        """Return the hash of the TPP's access token."""

    def remove(self, tpp: Tpp) -> None:
        """Take a TPP out."""


class Authority(Protocol):
    """Issues and revokes certificates."""

    def issue_tpp_certificate(
        self, *, tpp: TppSubject, kind: TppCertificateKind, csr: bytes | None = None, fault: Fault | None = None
    ) -> IssuedCertificate:
        """Issue one certificate; without a signing request the key is made here."""

    def revoke(self, serial: str, reason: RevocationReason) -> CertificateRecord:
        """Revoke one certificate; raises `NotRevocable` where its issuer publishes no revocations."""

    def renew(self, *, serial: str, tpp: TppSubject, csr: bytes | None = None) -> IssuedCertificate:
        """Issue a successor; the old certificate stays valid until it ends."""

    def certificate(self, serial: str) -> CertificateRecord:
        """Return one record; raises `UnknownCertificate`."""

    def certificates(self, tpp: str | None = None) -> Sequence[CertificateRecord]:
        """Return the records of certificates, of one TPP where one is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the applicant has already, from an earlier run of the same registration."""

    kinds: frozenset[TppCertificateKind] = frozenset()
    access_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The outcome: certificates issued now (none for those held), and the access token, shown this once."""

    tpp: Tpp
    certificates: Mapping[TppCertificateKind, IssuedCertificate]
    access_token: str = field(repr=False)
    personas: Sequence[Mapping[str, Any]]


class Register:
    """The TPPs of this platform."""

    def __init__(
        self, *, store: TppStore, bank: Bank, gateway: Gateway, authority: Authority, clock: Clock, max_tpps: int
    ) -> None:
        """Work with these."""
        self._store = store
        self._bank = bank
        self._gateway = gateway
        self._authority = authority
        self._clock = clock
        self._max_tpps = max_tpps

    def all(self) -> list[Tpp]:
        """Return every TPP, by name."""
        return self._store.all()

    def require(self, name_or_number: str) -> Tpp:
        """Return one TPP; raises `UnknownTpp`."""
        tpp = self._store.find(name_or_number)
    def of_organisation(self, organisation_id: str) -> list[Tpp]:
        """Return the TPPs of an organisation of the portal, by name."""
        return self._store.of_organisation(organisation_id)

        if tpp is None:
            raise UnknownTpp(name_or_number)
        return tpp

    def require_access(self, number: str, token: str) -> Tpp:
        """Return the TPP to whoever holds its access token; raises `AccessDenied`, for an unknown TPP as well."""
        tpp = self._store.find(number)
        kept = self._store.access_token_sha256(tpp) if tpp else None
        if tpp is None or kept is None or not hmac.compare_digest(kept, _sha256(token)):
            raise AccessDenied
        return tpp

    def register_new(
        self, request: RegistrationRequest, *, csrs: Mapping[TppCertificateKind, bytes] = MappingProxyType({})
    ) -> Registered:
        """Register, or continue a registration that broke off; a finished one raises `RegistrationConflict`."""
        standing = self._standing(request)
        if standing is not None and standing.status is not TppStatus.REGISTERING:
            raise RegistrationConflict(_finished(standing))
        tpp = standing or self._admit(request)
        personas = self._introduce(tpp)
        # Of several that finish the same registration at once, one gets certificates.
        if not self._store.activate(tpp):
            raise RegistrationConflict(_finished(tpp))
        try:
            return self._equip(tpp, personas, csrs=csrs, holdings=Holdings())
        except Exception:
            self._store.replace(tpp)  # nobody has got anything: the registration may be continued
            raise

    def ensure_registered(self, request: RegistrationRequest, *, holdings: Holdings) -> Registered:
        """Register, continue, or put right what is missing of a finished registration: for the operator."""
        tpp = self._standing(request) or self._admit(request)
        registered = self._equip(tpp, self._introduce(tpp), csrs={}, holdings=holdings)
        self._store.activate(tpp)
        return registered

    def set_blocked(self, tpp: Tpp, *, blocked: bool) -> Tpp:
        """Keep the TPP out of the gateway, or let it in again; in force within a second."""
        self._gateway.put_tpp(tpp, blocked=blocked)
        changed = replace(tpp, status=TppStatus.BLOCKED if blocked else TppStatus.ACTIVE)
        self._store.replace(changed)
        return changed

    def leave(self, tpp: Tpp) -> None:
        """Take a TPP out at its own wish; raises `TppBlocked`, for whoever leaves may register again, and is let in then."""
        if tpp.status is TppStatus.BLOCKED:
            raise TppBlocked(f"{tpp.name} is blocked by the operator, who alone can take it out")
        self.remove(tpp)

    def remove(self, tpp: Tpp) -> None:
        """Take a TPP out: its client and tokens, its certificates, its record. Its tenant stays with the bank."""
        self._gateway.delete_client(tpp.client_id)
        self._gateway.put_tpp(tpp, blocked=True)
        for record in self.certificates(tpp):
            if record.status is CertificateStatus.VALID:
                # Faulty ones too: some are taken in spite of it, and the number may be somebody else's by then.
                with suppress(NotRevocable):  # of an authority that nobody trusts
                    self._authority.revoke(record.serial, RevocationReason.CESSATION_OF_OPERATION)
        self._store.remove(tpp)

    def issue(
        self, tpp: Tpp, kind: TppCertificateKind, *, csr: bytes | None = None, fault: Fault | None = None
    ) -> IssuedCertificate:
        """Issue one more certificate; those that the TPP holds stay valid."""
        return self._authority.issue_tpp_certificate(tpp=subject_of(tpp), kind=kind, csr=csr, fault=fault)

    def renew(self, tpp: Tpp, serial: str, *, csr: bytes | None = None) -> IssuedCertificate:
        """Issue the successor of one certificate; the old one stays valid, so that the TPP can change over."""
        return self._authority.renew(serial=serial, tpp=subject_of(tpp), csr=csr)

    def certificates(self, tpp: Tpp) -> Sequence[CertificateRecord]:
        """Return the records of a TPP's certificates; a namesake that was removed before had others."""
        number = str(tpp.authorisation_number)
        return [record for record in self._authority.certificates(tpp.name) if record.authorisation_number == number]

    def revoke(self, tpp: Tpp, serial: str, reason: RevocationReason) -> CertificateRecord:
        """Revoke one of the TPP's own certificates; another's raises as an unknown one does."""
        record = self._authority.certificate(serial)
        if record.authorisation_number != str(tpp.authorisation_number):
            raise UnknownCertificate(f"{tpp.name} has no certificate with serial number {serial}")
        return self._authority.revoke(record.serial, reason)

    def _standing(self, request: RegistrationRequest) -> Tpp | None:
        by_number = self._store.find(str(request.authorisation_number))
        by_name = self._store.find(request.name)
        if by_number is not None and not by_number.is_as_requested(request):
            raise RegistrationConflict(f"{by_number.authorisation_number} is registered with other data, as {by_number.name}")
        if by_name is not None and by_name != by_number:
            raise RegistrationConflict(f"the name {by_name.name} belongs to {by_name.authorisation_number}: choose another")
        return by_number

    def _introduce(self, tpp: Tpp) -> Sequence[Mapping[str, Any]]:
        """Tell the bank and the gateway of the TPP; return who banks in its tenant. Raises `RegistrationInterrupted`."""
        done: list[str] = []
        with _step(_TENANT, done):
            personas = self._bank.put_tenant(tpp)
        with _step(_TPP, done):
            self._gateway.put_tpp(tpp, blocked=tpp.status is TppStatus.BLOCKED)
        with _step(_CLIENT, done):
            self._gateway.put_client(tpp)
        return personas

    def _equip(
        self,
        tpp: Tpp,
        personas: Sequence[Mapping[str, Any]],
        *,
        csrs: Mapping[TppCertificateKind, bytes],
        holdings: Holdings,
    ) -> Registered:
        missing = [kind for kind in TppCertificateKind if kind not in holdings.kinds]
        certificates = {kind: self.issue(tpp, kind, csr=csrs.get(kind)) for kind in missing}
        token = self._access_token(tpp, holdings.access_token)
        shown = tpp if tpp.status is TppStatus.BLOCKED else replace(tpp, status=TppStatus.ACTIVE)
        return Registered(tpp=shown, certificates=certificates, access_token=token, personas=personas)

    def _admit(self, request: RegistrationRequest) -> Tpp:
        if self._store.count() >= self._max_tpps:
            raise RegisterFull(f"{self._max_tpps} TPPs are registered, more are not taken (SANDBOX_MAX_TPPS)")
        tpp = Tpp(
            authorisation_number=request.authorisation_number,
            name=request.name,
            organisation=request.organisation,
            roles=request.roles,
            redirect_uris=request.redirect_uris,
            profile=request.profile,
            client_id=_client_id(request),
            seed=request.seed,
            status=TppStatus.REGISTERING,
            created_at=self._clock.now().timestamp(),
        )
        subject_of(tpp)  # what no certificate can carry is refused before anybody is told of the TPP
        self._store.add(tpp)
        return tpp

    def _access_token(self, tpp: Tpp, held: str | None) -> str:
        kept = self._store.access_token_sha256(tpp)
        if held is not None and kept is not None and hmac.compare_digest(kept, _sha256(held)):
            return held
        token = new_secret()
        self._store.set_access_token(tpp, _sha256(token))
        return token


@contextmanager
def _step(name: str, done: list[str]) -> Iterator[None]:
    try:
        yield
    except PeerUnavailable as error:
        raise RegistrationInterrupted(error.name, error.detail, tuple(done)) from error
    done.append(name)


def _finished(tpp: Tpp) -> str:
    return f"{tpp.authorisation_number} is registered already, as {tpp.name}"


def _client_id(request: RegistrationRequest) -> str:
    # BG IG 1.3.8 §13: the organizationIdentifier of the QWAC is the client id.
    if request.profile is Profile.BERLIN:
        return str(request.authorisation_number)
    return f"{request.name}-{new_secret(9)}"


def subject_of(tpp: Tpp) -> TppSubject:
    """Return the TPP as its certificates tell of it; raises `SubjectRefused`."""
    number = tpp.authorisation_number
    return TppSubject(
        name=tpp.name,
        organisation=tpp.organisation,
        country=number.country,
        authorisation_number=str(number),
        roles=tpp.roles,
        nca_id=number.nca_id,
        nca_name=NCAS[number.nca_id].name,
        domain=f"{tpp.name}.tpp.example",  # a domain that nobody can own (RFC 2606 §3)
    )


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
