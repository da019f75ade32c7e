"""Letting a TPP in, step by step. Every step may be repeated, so a registration that broke off continues where it was.

What can fail far away comes first: a private key is made only when nothing but this machine stands between it and its owner.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from psd2.ids import new_secret
from sandbox.answers import PeerRefused
from sandbox.ca.errors import NotRevocable, UnknownCertificate
from sandbox.ca.model import CertificateStatus, RevocationReason, TppCertificateKind
from sandbox.tpps.applications import OPERATOR, Applicant, Applications, is_token, token_sha256
from sandbox.tpps.errors import AccessDenied, ClientRefused, RegistrationConflict, TppBlocked, UnknownTpp
from sandbox.tpps.introduction import introduce
from sandbox.tpps.model import TppStatus
from sandbox.tpps.ownership import Ownership
from sandbox.tpps.subjects import subject_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psd2.clock import Clock
    from sandbox.bank_client import Bank
    from sandbox.ca.model import CertificateRecord, Fault, IssuedCertificate, TppSubject
    from sandbox.gateway_client import Gateway
    from sandbox.tpps.applications import RegisterLimits
    from sandbox.tpps.model import Amendment, ClientAmendment, FormerTpp, RegistrationRequest, Tpp


class TppStore(Protocol):
    """Keeps the register."""

    def find(self, name_or_number: str) -> Tpp | None:
        """Return the TPP of this name or authorisation number."""

    def all(self) -> list[Tpp]:
        """Return every TPP, by name."""

    def of_organisation(self, organisation_id: str) -> list[Tpp]:
        """Return an organisation's TPPs, by name."""

    def former(self, number: str) -> FormerTpp | None:
        """Return who had this number and has left."""

    def add(self, tpp: Tpp, *, limits: RegisterLimits | None) -> None:
        """Take a new TPP in, within `limits`, or (None) give a number back; raises `RegistrationConflict`, `RegisterFull`."""

    def set_status(self, tpp: Tpp, status: TppStatus, *, block_reason: str | None = None) -> None:
        """Write a TPP's status, and why it is blocked, and nothing else."""

    def amend(self, tpp: Tpp, amendment: Amendment) -> None:
        """Write what a TPP has changed of itself and nothing else."""

    def amend_client(self, tpp: Tpp, amendment: ClientAmendment) -> None:
        """Write what a TPP has changed of its client and nothing else."""

    def activate(self, tpp: Tpp) -> bool:
        """Make a registering TPP active; return False, and change nothing, where it is not registering."""

    def set_access_token(self, tpp: Tpp, sha256: str) -> None:
        """Keep the hash of the TPP's access token."""

    def access_token_sha256(self, tpp: Tpp) -> str | None:
        """Return the hash of the TPP's access token."""

    def claim(self, tpp: Tpp, organisation_id: str, *, limits: RegisterLimits) -> bool:
        """Give a TPP that is nobody's to an organisation; return False, and change nothing, where it is somebody's."""

    def forget(self, tpp: Tpp) -> None:
        """Take out a TPP that never came to be; its number is anybody's again."""

    def remove(self, tpp: Tpp, *, at: float) -> None:
        """Take a TPP out, and keep its number for whoever had it."""


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
        self, *, store: TppStore, bank: Bank, gateway: Gateway, authority: Authority, clock: Clock, limits: RegisterLimits
    ) -> None:
        """Work with these."""
        self._store = store
        self._bank = bank
        self._gateway = gateway
        self._authority = authority
        self._clock = clock
        self._changes = threading.RLock()  # a change of data must not undo a block that was set meanwhile
        self._applications = Applications(records=store, clock=clock, limits=limits)
        self.ownership = Ownership(
            records=store, applications=self._applications, bank=bank, gateway=gateway, limits=limits, changes=self._changes
        )

    def all(self) -> list[Tpp]:
        """Return every TPP, by name."""
        return self._store.all()

    def of_organisation(self, organisation_id: str) -> list[Tpp]:
        """Return the TPPs of an organisation of the portal, by name."""
        return self._store.of_organisation(organisation_id)

    def require(self, name_or_number: str) -> Tpp:
        """Return one TPP; raises `UnknownTpp`."""
        tpp = self._store.find(name_or_number)
        if tpp is None:
            raise UnknownTpp(name_or_number)
        return tpp

    def require_access(self, number: str, token: str) -> Tpp:
        """Return the TPP to whoever holds its access token; raises `AccessDenied`, for an unknown TPP as well."""
        tpp = self._store.find(number)
        kept = self._store.access_token_sha256(tpp) if tpp else None
        if tpp is None or not is_token(token, kept):
            raise AccessDenied
        return tpp

    def register_new(
        self,
        request: RegistrationRequest,
        *,
        csrs: Mapping[TppCertificateKind, bytes] = MappingProxyType({}),
        access_token: str | None = None,
    ) -> Registered:
        """Register, or continue a registration that broke off; a finished one raises `RegistrationConflict`.

        A number that was left is given to whoever shows the `access_token` of its last registration.
        """
        applicant = Applicant(access_token=access_token)
        standing = self._applications.standing(request, applicant)
        if standing is not None and standing.status is not TppStatus.REGISTERING:
            raise RegistrationConflict(_finished(standing))
        tpp = standing or self._applications.admit(request, applicant)
        personas = self._introduced(tpp, is_new=standing is None)
        # Of several that finish the same registration at once, one gets certificates.
        if not self.ownership.let_in(tpp):
            raise RegistrationConflict(_finished(tpp))
        try:
            return self._equip(tpp, personas, csrs=csrs, holdings=Holdings())
        except Exception:
            self._take_back(tpp)
            raise

    def ensure_registered(self, request: RegistrationRequest, *, holdings: Holdings) -> Registered:
        """Register, continue, or put right what is missing of a finished registration: for the operator."""
        standing = self._applications.standing(request, OPERATOR)
        tpp = standing or self._applications.admit(request, OPERATOR)
        personas = self._introduced(tpp, is_new=standing is None)
        registered = self._equip(tpp, personas, csrs={}, holdings=holdings)
        self.ownership.let_in(tpp)
        return registered

    def _introduced(self, tpp: Tpp, *, is_new: bool) -> Sequence[Mapping[str, Any]]:
        """Tell bank and gateway of the TPP; one that they refuse is not left half registered, with data nobody can correct."""
        try:
            return introduce(tpp, bank=self._bank, gateway=self._gateway)
        except (PeerRefused, ClientRefused):
            if is_new:
                self._store.forget(tpp)
            raise

    def set_blocked(self, tpp: Tpp, *, blocked: bool, reason: str | None = None) -> Tpp:
        """Keep the TPP out of the gateway, for a reason that its pages show, or let it in again; in force within a second."""
        status = TppStatus.BLOCKED if blocked else TppStatus.ACTIVE
        with self._changes:
            self._gateway.put_tpp(tpp, blocked=blocked)
            self._store.set_status(tpp, status, block_reason=reason if blocked else None)
        return replace(tpp, status=status, block_reason=reason if blocked else None)

    def leave(self, tpp: Tpp) -> None:
        """Take a TPP out at its own wish; raises `TppBlocked`, for whoever leaves may register again, and is let in then."""
        with self._changes:
            standing = self.require(str(tpp.authorisation_number))
            if standing.status is TppStatus.BLOCKED:
                raise TppBlocked(f"{tpp.name} is blocked by the operator, who alone can take it out")
            self.remove(standing)

    def remove(self, tpp: Tpp) -> None:
        """Take a TPP out: its client and tokens, its certificates, its record.

        Its tenant stays with the bank, and its number is kept for whoever had it.
        """
        self._gateway.delete_client(tpp.client_id)
        self._gateway.put_tpp(tpp, blocked=True)
        for record in self.certificates(tpp):
            if record.status is CertificateStatus.VALID:
                # Faulty ones too: some are taken in spite of it, and the number may be somebody else's by then.
                with suppress(NotRevocable):  # of an authority that nobody trusts
                    self._authority.revoke(record.serial, RevocationReason.CESSATION_OF_OPERATION)
        self._store.remove(tpp, at=self._clock.now().timestamp())

    def issue(
        self, tpp: Tpp, kind: TppCertificateKind, *, csr: bytes | None = None, fault: Fault | None = None
    ) -> IssuedCertificate:
        """Issue one more certificate; those that the TPP holds stay valid."""
        return self._authority.issue_tpp_certificate(tpp=subject_of(tpp), kind=kind, csr=csr, fault=fault)

    def renew(self, tpp: Tpp, serial: str, *, csr: bytes | None = None) -> IssuedCertificate:
        """Issue the successor of one certificate; the old one stays valid, so that the TPP can change over."""
        return self._authority.renew(serial=self.certificate(tpp, serial).serial, tpp=subject_of(tpp), csr=csr)

    def certificate(self, tpp: Tpp, serial: str) -> CertificateRecord:
        """Return the record of one of the TPP's own certificates; another's raises `UnknownCertificate` as no one's does."""
        record = self._authority.certificate(serial)
        if record.authorisation_number != str(tpp.authorisation_number):
            raise UnknownCertificate(f"{tpp.name} has no certificate with serial number {serial[:80]}")
        return record

    def certificates(self, tpp: Tpp) -> Sequence[CertificateRecord]:
        """Return the records of a TPP's certificates; a namesake that was removed before had others."""
        number = str(tpp.authorisation_number)
        return [record for record in self._authority.certificates(tpp.name) if record.authorisation_number == number]

    def revoke(self, tpp: Tpp, serial: str, reason: RevocationReason) -> CertificateRecord:
        """Revoke one of the TPP's own certificates; another's raises as an unknown one does."""
        return self._authority.revoke(self.certificate(tpp, serial).serial, reason)

    def _take_back(self, tpp: Tpp) -> None:
        """Let a registration be continued, because nobody has got anything; a block that came meanwhile stands."""
        with self._changes:
            standing = self._store.find(str(tpp.authorisation_number))
            if standing is not None and standing.status is TppStatus.ACTIVE:
                self._store.set_status(tpp, TppStatus.REGISTERING)

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

    def _access_token(self, tpp: Tpp, held: str | None) -> str:
        kept = self._store.access_token_sha256(tpp)
        if held is not None and is_token(held, kept):
            return held
        token = new_secret()
        self._store.set_access_token(tpp, token_sha256(token))
        return token


def _finished(tpp: Tpp) -> str:
    return f"{tpp.authorisation_number} is registered already"
