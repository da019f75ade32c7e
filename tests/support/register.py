"""Fakes for everything around the register of TPPs: the bank, the gateway, the certificate authority, the store."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chassis.peers import PeerUnavailable
from psd2.clock import FixedClock
from sandbox.answers import PeerRefused
from sandbox.ca.errors import UnknownAuthority, UnknownCertificate
from sandbox.ca.model import CertificateRecord, CertificateStatus, IssuedCertificate, serial_text
from sandbox.tpps import errors
from sandbox.tpps.applications import RegisterLimits
from sandbox.tpps.errors import RegistrationConflict
from sandbox.tpps.model import FormerTpp, TppStatus
from sandbox.tpps.parsing import parse_registration
from sandbox.tpps.service import Register

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.ca.model import Fault, RevocationReason, TppCertificateKind, TppSubject
    from sandbox.ca.service import CertificateAuthority
    from sandbox.tpps.model import Amendment, ClientAmendment, RegistrationRequest, Tpp

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
NUMBER = "PSDDE-BAFIN-100001"
ROOMY = RegisterLimits(all=1_000, per_organisation=1_000)
REGISTRATION: dict[str, Any] = {
    "name": "acme",
    "organisation": "Acme Payments GmbH",
    "authorisation_number": NUMBER,
    "roles": ["AISP", "PISP"],
    "redirect_uris": ["https://acme.example/callback"],
    "profile": "berlin",
}


def registration(**changes: Any) -> RegistrationRequest:
    """Return a registration that is right but for `changes`."""
    return parse_registration({**REGISTRATION, **changes})


@dataclass
class FakeBank:
    """Notes the tenants made."""

    calls: list[str]
    is_down: bool = False

    def put_tenant(self, tpp: Tpp) -> list[dict[str, Any]]:
        if self.is_down:
            raise PeerUnavailable("bank", "connection refused")
        self.calls.append(f"tenant {tpp.name}")
        return [{"psu": "anna.weber", "password": "sandbox", "purpose": "everyday"}]


@dataclass
class FakeGateway:
    """Notes what it is told, in order."""

    calls: list[str]
    is_down: bool = False
    refuses_clients: bool = False
    client_faults: tuple[errors.Fault, ...] = ()
    crls: list[bytes] = field(default_factory=list)

    def put_tpp(self, tpp: Tpp, *, blocked: bool) -> None:
        self._note(f"tpp {tpp.name} {'blocked' if blocked else 'active'}")

    def put_client(self, tpp: Tpp) -> None:
        if self.refuses_clients:
            raise PeerRefused("admin", 422, "jwks_uri: must be https")
        if self.client_faults:
            raise errors.ClientRefused(self.client_faults)
        self._note(f"client {tpp.client_id}")

    def delete_client(self, client_id: str) -> None:
        self._note(f"no client {client_id}")

    def put_trust_store(self, *, anchors: Sequence[str], intermediates: Sequence[str]) -> None:
        self._note(f"trust {len(anchors)}+{len(intermediates)}")

    def put_crl(self, der: bytes) -> None:
        self._note("crl")
        self.crls.append(der)

    def _note(self, call: str) -> None:
        if self.is_down:
            raise PeerUnavailable("admin", "connection refused")
        self.calls.append(call)


class FakeAuthority:
    """Issues self-signed certificates and keeps records, in memory."""

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls
        self.records: dict[str, CertificateRecord] = {}
        self.anchors = ["anchor"]
        self.crl_number = 1
        self.refusal: Exception | None = None

    def issue_tpp_certificate(
        self, *, tpp: TppSubject, kind: TppCertificateKind, csr: bytes | None = None, fault: Fault | None = None
    ) -> IssuedCertificate:
        if self.refusal is not None:
            raise self.refusal
        self.calls.append(f"issue {kind}")
        issued = issued_certificate(kind, csr=csr, fault=fault)
        self.records[issued.serial] = CertificateRecord(
            serial=issued.serial,
            ca="tpp-issuing",
            profile=kind,
            subject=f"CN={tpp.domain}",
            sha256=issued.sha256,
            key_sha256="",
            not_before=issued.not_before,
            not_after=issued.not_after,
            issued_at=NOW,
            der=b"",
            tpp=tpp.name,
            authorisation_number=tpp.authorisation_number,
            fault=fault,
        )
        return issued

    def renew(self, *, serial: str, tpp: TppSubject, csr: bytes | None = None) -> IssuedCertificate:
        from sandbox.ca.model import TppCertificateKind

        return self.issue_tpp_certificate(tpp=tpp, kind=TppCertificateKind(self.certificate(serial).profile), csr=csr)

    def certificate(self, serial: str) -> CertificateRecord:
        if serial not in self.records:
            raise UnknownCertificate(f"{serial}: no certificate with this serial number was issued here")
        return self.records[serial]

    def certificates(self, tpp: str | None = None) -> list[CertificateRecord]:
        return [record for record in self.records.values() if tpp in {None, record.tpp}]

    def revoke(self, serial: str, reason: RevocationReason) -> CertificateRecord:
        self.calls.append(f"revoke {reason}")
        revoked = replace(self.certificate(serial), status=CertificateStatus.REVOKED, reason=reason, revoked_at=NOW)
        self.records[serial] = revoked
        self.crl_number += 1
        return revoked

    def crl(self, ca_name: str) -> bytes:
        _require_known(ca_name)
        return f"crl {self.crl_number}".encode()

    def ca_certificate(self, name: str) -> bytes:
        _require_known(name)
        return _ROOT.public_bytes(serialization.Encoding.DER)

    def ocsp_response(self, ca_name: str, request_der: bytes) -> bytes:
        _require_known(ca_name)
        return b"answer to " + request_der

    def tpp_trust_anchors(self) -> list[str]:
        return self.anchors


class InMemoryTppStore:
    """The register in a dictionary."""

    def __init__(self) -> None:
        self.tpps: dict[str, Tpp] = {}
        self.tokens: dict[str, str] = {}
        self.formers: dict[str, FormerTpp] = {}

    def find(self, name_or_number: str) -> Tpp | None:
        return next((tpp for tpp in self.tpps.values() if name_or_number in {tpp.name, str(tpp.authorisation_number)}), None)

    def all(self) -> list[Tpp]:
        return sorted(self.tpps.values(), key=lambda tpp: tpp.name)

    def of_organisation(self, organisation_id: str) -> list[Tpp]:
        return [tpp for tpp in self.all() if tpp.organisation_id == organisation_id]

    def _count(self, organisation_id: str | None = None) -> int:
        everybody: list[Tpp | FormerTpp] = [*self.tpps.values(), *self.formers.values()]
        return sum(organisation_id in {None, each.organisation_id} for each in everybody)

    def former(self, number: str) -> FormerTpp | None:
        return self.formers.get(number)

    def add(self, tpp: Tpp, *, limits: RegisterLimits | None) -> None:
        if str(tpp.authorisation_number) in self.tpps:
            raise RegistrationConflict("taken")
        if limits is not None:
            own = self._count(tpp.organisation_id) if tpp.organisation_id else None
            limits.require_room(all_taken=self._count(), organisations_own=own)
        self.tpps[str(tpp.authorisation_number)] = tpp
        self.formers.pop(str(tpp.authorisation_number), None)

    def set_status(self, tpp: Tpp, status: TppStatus, *, block_reason: str | None = None) -> None:
        self._write(tpp, status=status, block_reason=block_reason)

    def amend(self, tpp: Tpp, amendment: Amendment) -> None:
        self._write(tpp, organisation=amendment.organisation, redirect_uris=amendment.redirect_uris)

    def amend_client(self, tpp: Tpp, amendment: ClientAmendment) -> None:
        self._write(tpp, profile=amendment.profile, client_metadata=amendment.client_metadata)

    def claim(self, tpp: Tpp, organisation_id: str, *, limits: RegisterLimits) -> bool:
        limits.require_room_in_organisation(self._count(organisation_id))
        if self.tpps[str(tpp.authorisation_number)].organisation_id is not None:
            return False
        self._write(tpp, organisation_id=organisation_id)
        return True

    def _write(self, tpp: Tpp, **changes: Any) -> None:
        number = str(tpp.authorisation_number)
        self.tpps[number] = replace(self.tpps[number], **changes)

    def activate(self, tpp: Tpp) -> bool:
        standing = self.tpps.get(str(tpp.authorisation_number))
        if standing is None or standing.status is not TppStatus.REGISTERING:
            return False
        self.tpps[str(tpp.authorisation_number)] = replace(standing, status=TppStatus.ACTIVE)
        return True

    def set_access_token(self, tpp: Tpp, sha256: str) -> None:
        self.tokens[str(tpp.authorisation_number)] = sha256

    def access_token_sha256(self, tpp: Tpp) -> str | None:
        return self.tokens.get(str(tpp.authorisation_number))

    def forget(self, tpp: Tpp) -> None:
        self.tpps.pop(str(tpp.authorisation_number))

    def remove(self, tpp: Tpp, *, at: float) -> None:  # noqa: ARG002 - the store's signature
        number = str(tpp.authorisation_number)
        gone = self.tpps.pop(number)
        self.formers[number] = FormerTpp(
            authorisation_number=number,
            organisation_id=gone.organisation_id,
            access_token_sha256=self.tokens.pop(number, None),
        )


class RegisterWorld:
    """A register with fakes all round it, and the doctor's archive; `calls` tells what happened, in order."""

    def __init__(
        self,
        *,
        max_tpps: int = 10,
        per_organisation: int = 5,
        authority: CertificateAuthority | None = None,
        clock: FixedClock | None = None,
    ) -> None:
        self.calls: list[str] = []
        self.bank = FakeBank(self.calls)
        self.gateway = FakeGateway(self.calls)
        # A real authority in the place of the fake one, for those who look into certificates.
        self.authority = cast("FakeAuthority", authority) if authority else FakeAuthority(self.calls)
        self.store = InMemoryTppStore()
        self.clock = clock or FixedClock(NOW)
        self.register = Register(
            store=self.store,
            bank=self.bank,
            gateway=self.gateway,
            authority=self.authority,
            clock=self.clock,
            limits=RegisterLimits(all=max_tpps, per_organisation=per_organisation),
        )

    def certificate(self, serial: str) -> CertificateRecord | None:
        with suppress(UnknownCertificate):
            return self.authority.certificate(serial)
        return None

    def tpp(self, authorisation_number: str) -> Tpp | None:
        return self.store.tpps.get(authorisation_number)


def issued_certificate(kind: TppCertificateKind, *, csr: bytes | None = None, fault: Fault | None = None) -> IssuedCertificate:
    """Return a certificate as the authority hands it out, with a key unless there is a signing request."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = x509.load_pem_x509_csr(csr).public_key() if csr else key.public_key()
    certificate = _certificate(key, public)
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return IssuedCertificate(
        certificate=pem,
        chain="",
        private_key=None if csr else _key_pem(key),
        serial=serial_text(certificate.serial_number),
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        kind=kind,
        fault=fault,
    )


def signing_request(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a signing request (PEM) over this key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _certificate(key: ec.EllipticCurvePrivateKey, public: Any) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(public)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(NOW - dt.timedelta(days=1))
    return builder.not_valid_after(NOW + dt.timedelta(days=90)).sign(key, hashes.SHA256())


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def _require_known(name: str) -> None:
    if name not in {"root", "tpp-issuing", "server-issuing"}:
        raise UnknownAuthority(f"{name!r} is no certificate authority here")


_ROOT_KEY = ec.generate_private_key(ec.SECP256R1())
_ROOT = _certificate(_ROOT_KEY, _ROOT_KEY.public_key())


class InMemoryAcknowledgements:
    """What was acknowledged, in a dictionary."""

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}

    def acknowledged(self, subject: str) -> str | None:
        return self.digests.get(subject)

    def acknowledge(self, subject: str, sha256: str) -> None:
        self.digests[subject] = sha256
