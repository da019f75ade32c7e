"""What the certificate doctor foretells is what the gateway answers: judge, register and roles are asked themselves."""

from __future__ import annotations

import asyncio
import hashlib
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.admission.grounds import GROUNDS
from gateway.admission.memory import Memory
from gateway.admission.refusal import Refusal
from gateway.admission.roles import require_role
from gateway.admission.tpps import registered_tpp
from gateway.register.model import Tpp as GatewayTpp
from gateway.register.model import TppStatus as GatewayTppStatus
from gateway.trust.judgement import Judge
from gateway.trust.rules import StoreRules
from gateway.trust.snapshot import CrlInForce, TrustSnapshot
from gateway.trust.verdict import Distrusted, Trusted
from psd2.clock import FixedClock
from psd2.qcstatements import encode_qcstatements
from psd2.qualified import Psd2Statement, QcStatements, QcType
from psd2.roles import PspRole
from psd2.thumbprints import sha256_hex
from sandbox.ca.authorities import published_certificates
from sandbox.ca.errors import FaultUnavailable
from sandbox.ca.faults import FAULTS, fault_spec
from sandbox.ca.model import Fault, TppCertificateKind
from sandbox.doctor.model import NotExaminable, Outcome
from sandbox.doctor.refusals import REFUSALS
from sandbox.doctor.service import Doctor
from sandbox.tpps.model import Tpp, TppStatus
from tests.support.certificate_authority import NOW as AUTHORITY_NOW
from tests.support.certificate_authority import TPP, Setting, setting
from tests.support.deployments import shipped_deployments
from tests.support.doctor import (
    ISSUING,
    NOW,
    NUMBER,
    OTHER,
    SUBJECT,
    WEB,
    MemoryArchive,
    doctor,
    pem,
    seal,
    strange,
    tpp,
    usage,
)
from tests.support.pki import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from psd2.certificates import Psd2Certificate
    from sandbox.doctor.model import Examination

ROLE_ROUTES = [route for route in shipped_deployments().routes if route.roles]
ROLES = frozenset[PspRole]().union(*(route.roles for route in ROLE_ROUTES))
SERVICES = {PspRole.AI: "account information", PspRole.PI: "payments", PspRole.IC: "funds confirmations"}
CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
UNSPECIFIED = QcStatements(
    compliance=True, types=frozenset({QcType.WEB}), psd2=Psd2Statement(frozenset({PspRole.AS}), "BaFin", "DE-BAFIN")
)


def issuable(kind: TppCertificateKind) -> Iterable[Fault]:
    """List the faults that the sandbox issues in certificates of this kind."""
    for fault in Fault:
        try:
            fault_spec(fault, kind)
        except FaultUnavailable:
            continue
        yield fault


EVERY_FAULT = [(kind, fault) for kind in TppCertificateKind for fault in (None, *issuable(kind))]


def gateway_answer(der: bytes, *, judge: Judge, tpps: Iterable[Tpp], now: datetime) -> str | None:
    """Return the gateway's reason to refuse whatever is asked for, or None."""
    try:
        trusted = judge.require_trusted(der, digest=hashlib.sha256(der).digest(), now=now.timestamp())
        registered = registered_tpp(trusted, remembered(trusted.certificate, tpps))
    except Distrusted as distrusted:
        return str(distrusted.distrust)
    except Refusal as refusal:
        return refusal.reason
    return "psd2.role" if refused_roles(trusted, registered) == ROLES else None


def refused_roles(trusted: Trusted, registered: GatewayTpp | None) -> set[PspRole]:
    """Return the roles whose services the gateway refuses for want of the role."""
    refused: set[PspRole] = set()
    for route in ROLE_ROUTES:
        try:
            require_role(trusted, registered, route)
        except Refusal:
            refused |= route.roles
    return refused


def remembered(certificate: Psd2Certificate, tpps: Iterable[Tpp]) -> Memory[GatewayTpp]:
    """Put the register of the sandbox into the gateway's memory, as the portal delivers it."""
    known = {str(each.authorisation_number): each for each in tpps}

    def read(number: str) -> GatewayTpp | None:
        standing = known.get(number)
        if standing is None:
            return None
        blocked = standing.status is TppStatus.BLOCKED
        status = GatewayTppStatus.BLOCKED if blocked else GatewayTppStatus.ACTIVE
        return GatewayTpp(
            authorisation_number=number,
            name=standing.name,
            country="DE",
            nca_id="DE-BAFIN",
            nca_name="BaFin",
            roles=standing.roles,
            status=status,
        )

    memory = Memory(read, most=10)
    asyncio.run(memory.load(certificate.authorisation_number or ""))
    return memory


def judge_of(anchor: x509.Certificate, *, revoked: frozenset[int] = frozenset(), until: datetime) -> Judge:
    crl = CrlInForce(number=1, this_update=0.0, next_update=until.timestamp(), revoked=revoked)
    snapshot = TrustSnapshot(anchors=(anchor,), crls={sha256_hex(anchor.subject.public_bytes()): crl})
    return Judge(snapshot, StoreRules())


class Archive:
    """What this authority has written down, and the one TPP."""

    def __init__(self, standing: Setting, tpps: Iterable[Tpp]) -> None:
        self._records, self._tpps = standing.records, list(tpps)

    def certificate(self, serial: str) -> object:
        return self._records.get(serial)

    def tpp(self, authorisation_number: str) -> Tpp | None:
        return next((each for each in self._tpps if str(each.authorisation_number) == authorisation_number), None)


def foretold(examination: Examination) -> tuple[int, str, str] | None:
    refusal = examination.refusal
    return (refusal.status, refusal.code, refusal.reason) if refusal else None


def said(reason: str | None) -> tuple[int, str, str] | None:
    """Return what goes over the wire for this reason."""
    return (GROUNDS[reason].status, GROUNDS[reason].code.value, reason) if reason else None


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    made = setting(tmp_path_factory.mktemp("home"))
    made.authority.ensure_hierarchy()
    return made


@pytest.mark.parametrize(("kind", "fault"), EVERY_FAULT)
def test_every_certificate_that_the_sandbox_issues(standing: Setting, kind: TppCertificateKind, fault: Fault | None) -> None:
    """Status, code and reason foretold are those that the gateway gives; what the fault's own table says agrees."""
    registered = [tpp(TPP.authorisation_number, roles=TPP.roles)]
    issued = standing.authority.issue_tpp_certificate(tpp=TPP, kind=kind, fault=fault)
    certificates = published_certificates(standing.home)
    doctor_here = Doctor(clock=FixedClock(AUTHORITY_NOW), authorities=certificates, archive=Archive(standing, registered))  # type: ignore[arg-type]

    examination = doctor_here.examine(issued.bundle.encode())

    anchor = x509.load_pem_x509_certificate(standing.authority.tpp_trust_anchors()[0].encode())
    crl = x509.load_der_x509_crl(standing.authority.crl("tpp-issuing"))
    judge = judge_of(anchor, revoked=frozenset(entry.serial_number for entry in crl), until=AUTHORITY_NOW + DAY)
    leaf = x509.load_pem_x509_certificate(issued.certificate.encode()).public_bytes(Encoding.DER)
    answer = gateway_answer(leaf, judge=judge, tpps=registered, now=AUTHORITY_NOW)
    assert foretold(examination) == said(answer)
    if kind is TppCertificateKind.QWAC:
        expected = FAULTS[fault].refusal if fault else None
        assert examination.refusal == expected
        assert examination.outcome is (Outcome.REFUSED if expected else Outcome.ACCEPTED)
    else:
        is_sound = fault in {None, Fault.FLAT_ENCODED}
        assert examination.outcome is (Outcome.SOUND_SEAL if is_sound else Outcome.REFUSED)


def subject(**changes: str | None) -> list[tuple[x509.ObjectIdentifier, str]]:
    """Return the right subject, but for some attributes."""
    oids = {"number": NameOID.ORGANIZATION_IDENTIFIER, "country": NameOID.COUNTRY_NAME}
    changed = {oids[name]: value for name, value in changes.items()}
    pairs = [(oid, changed.get(oid, value)) for oid, value in SUBJECT]
    return [(oid, value) for oid, value in pairs if value is not None]


UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
STRANGE = {
    "right": strange(),
    "seal": seal(),
    "no purposes": strange(purposes=()),
    "server only": strange(purposes=(ExtendedKeyUsageOID.SERVER_AUTH,)),
    "any purpose": strange(purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)),
    "client only": strange(purposes=(CLIENT_AUTH,)),
    "seal for e-mail": seal(purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,)),
    "seal for TLS": seal(purposes=(CLIENT_AUTH,)),
    "no number": strange(subject=subject(number=None)),
    "two numbers": strange(subject=[*SUBJECT, (NameOID.ORGANIZATION_IDENTIFIER, NUMBER)]),
    "no authorisation number": strange(subject=subject(number="VATDE-123456789")),
    "another TPP": strange(subject=subject(number="PSDDE-BAFIN-100002")),
    "a blocked TPP": strange(subject=subject(number="PSDDE-BAFIN-100003")),
    "no country": strange(subject=subject(country=None)),
    "no statements": strange(statements=None),
    "broken statements": strange(statements=b"\x30\x05\x00"),
    "no PSD2 statement": strange(statements=QcStatements(compliance=True, types=frozenset({QcType.WEB}))),
    "no QcType": strange(statements=QcStatements(compliance=True, psd2=WEB.psd2)),
    "two QcTypes": strange(statements=QcStatements(types=frozenset({QcType.WEB, QcType.ESEAL}), psd2=WEB.psd2)),
    "no compliance": strange(statements=QcStatements(types=frozenset({QcType.WEB}), psd2=WEB.psd2)),
    "a bank's role": strange(statements=UNSPECIFIED),
    "critical statements": strange(statements_critical=True),
    "unknown critical extension": strange(extensions=[(UNKNOWN_EXTENSION, True)]),
    "unknown extension": strange(extensions=[(UNKNOWN_EXTENSION, False)]),
    "critical name constraints": strange(
        extensions=[(x509.NameConstraints(permitted_subtrees=[x509.DNSName("example")], excluded_subtrees=None), True)]
    ),
    "an authority": strange(is_authority=True),
    "an authority's key usage": strange(key_usage=usage("digital_signature", "key_cert_sign")),
    "no signing": strange(key_usage=usage("key_encipherment")),
    "no key usage": strange(has_key_usage=False),
    "no issuer key": strange(has_issuer_key=False),
    "no policy": strange(policies=()),
    "no name": strange(dns_names=()),
    "no addresses": strange(addresses=()),
    "weak hash": strange(signature=hashes.SHA224()),
    "unusual hash": strange(signature=hashes.SHA3_256()),
    "short RSA key": strange(key=rsa.generate_private_key(65_537, 1_024)),  # noqa: S505 - to be refused
    "unusual curve": strange(key=ec.generate_private_key(ec.SECP256K1())),
    "brainpool": strange(key=ec.generate_private_key(ec.BrainpoolP256R1())),
    "Ed25519": strange(key=ed25519.Ed25519PrivateKey.generate()),
    "expired": strange(not_before=NOW - 60 * DAY, not_after=NOW - DAY),
    "expired a second ago": strange(not_before=NOW - 60 * DAY, not_after=NOW - DAY / 86_400),
    "its last second": strange(not_before=NOW - 60 * DAY, not_after=NOW),
    "its first second": strange(not_before=NOW),
    "not yet valid": strange(not_before=NOW + DAY),
    "longer than its issuer": strange(not_after=NOW + 4_000 * DAY),
    "another authority of ours": strange(issuer=OTHER),
    "the authority itself": ISSUING.certificate.public_bytes(Encoding.DER),
    "expired and for servers": strange(
        purposes=(ExtendedKeyUsageOID.SERVER_AUTH,), not_before=NOW - 60 * DAY, not_after=NOW - DAY
    ),
    "expired and critical": strange(statements_critical=True, not_before=NOW - 60 * DAY, not_after=NOW - DAY),
}
REGISTERED = [tpp(), tpp("PSDDE-BAFIN-100003", status=TppStatus.BLOCKED)]


def both(der: bytes) -> tuple[tuple[int, str, str] | None, tuple[int, str, str] | None]:
    """Ask doctor and gateway."""
    judge = judge_of(ISSUING.certificate, until=NOW + DAY)
    answer = said(gateway_answer(der, judge=judge, tpps=REGISTERED, now=NOW))
    try:
        examination = doctor(archive=MemoryArchive(tpps=REGISTERED)).examine(der)
    except NotExaminable:
        return said("mtls.malformed"), answer
    return foretold(examination), answer


@pytest.mark.parametrize("der", STRANGE.values(), ids=STRANGE)
def test_certificates_that_others_might_issue(der: bytes) -> None:
    """Strange in one way each, or in two, where the order decides."""
    expected, answer = both(der)

    assert expected == answer


@pytest.mark.parametrize("certified", [each for size in (1, 2, 3) for each in combinations(sorted(SERVICES), size)])
@pytest.mark.parametrize("registered", [each for size in (1, 2) for each in combinations(sorted(SERVICES), size)])
def test_services_are_told_apart(certified: tuple[PspRole, ...], registered: tuple[PspRole, ...]) -> None:
    """A role opens its service where certificate and register both grant it."""
    statement = Psd2Statement(frozenset(certified), "BaFin", "DE-BAFIN")
    der = strange(statements=QcStatements(compliance=True, types=frozenset({QcType.WEB}), psd2=statement))
    tpps = [tpp(roles=frozenset(registered))]

    examination = doctor(archive=MemoryArchive(tpps=tpps)).examine(der)

    trusted = judge_of(ISSUING.certificate, until=NOW + DAY).require_trusted(der, digest=b"", now=NOW.timestamp())
    known = registered_tpp(trusted, remembered(trusted.certificate, tpps))
    opened = SERVICES.keys() - refused_roles(trusted, known)
    assert set(examination.opens) == {SERVICES[role] for role in opened}
    assert examination.outcome is (Outcome.ACCEPTED if opened else Outcome.REFUSED)
    partly = {each.only_for for each in examination.findings if each.only_for and each.refusal == REFUSALS["psd2.role"]}
    assert partly == ({SERVICES[role] for role in {*certified, *registered} - opened} if opened else set())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_certificates_are_told_alike(data: st.DataObject) -> None:
    """Octets changed anywhere: what the gateway can't read, and what it finds signed by nobody, the doctor does too."""
    damaged = bytearray(STRANGE["right"])
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))

    expected, answer = both(bytes(damaged))

    assert expected == answer


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_statements_under_a_good_signature_are_told_alike(data: st.DataObject) -> None:
    """Whatever a trusted authority may sign."""
    statements = bytearray(encode_qcstatements(WEB))
    for _ in range(data.draw(st.integers(1, 3))):
        statements[data.draw(st.integers(0, len(statements) - 1))] = data.draw(st.integers(0, 255))

    expected, answer = both(strange(statements=bytes(statements)))

    assert expected == answer


@pytest.mark.parametrize("reason", REFUSALS)
def test_the_refusals_foretold_are_the_gateways_own(reason: str) -> None:
    """Status and code by reason, as docs/refusals.md lists them."""
    refusal = REFUSALS[reason]

    assert (refusal.status, refusal.code, refusal.reason) == said(reason)


def test_what_is_read_in_a_bundle_is_what_tls_presents(tmp_path: Path) -> None:
    """The leaf of a bundle is told as the leaf alone is."""
    bundle = tmp_path / "qwac.crt"
    bundle.write_bytes(pem(STRANGE["right"], ISSUING.certificate.public_bytes(Encoding.DER)))

    assert doctor().examine(bundle.read_bytes()).sha256 == sha256_hex(STRANGE["right"])
