"""Findings: each certificate is wrong in exactly one way, and exactly that is found, with its clause and what is right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from psd2.qcstatements import encode_qcstatements, flatten_roles
from psd2.roles import PspRole
from psd2.thumbprints import sha256_hex
from sandbox.ca.model import CertificateRecord, CertificateStatus, Fault, RevocationReason, serial_text
from sandbox.doctor.model import Examination, FindingCode, Level, Outcome, Unchecked
from sandbox.tpps.model import TppStatus
from tests.support.doctor import (
    ADDRESSES,
    ISSUING,
    NOW,
    NUMBER,
    OTHER,
    PSD2,
    SEAL,
    SUBJECT,
    WEB,
    MemoryArchive,
    doctor,
    lonely_doctor,
    pem,
    seal,
    strange,
    tpp,
    usage,
)
from tests.support.pki import DAY, Authority, self_signed

if TYPE_CHECKING:
    from psd2.qualified import QcStatements

RIGHT = encode_qcstatements(WEB)
AI_OID = bytes.fromhex("060704008198270103")
COMPLIANCE = bytes.fromhex("3008060604008e460101")


def outer(content: bytes) -> bytes:
    """Put the header of a SEQUENCE before `content` (fewer than 128 octets)."""
    return bytes((0x30, len(content))) + content


def named(**changes: str | None) -> list[tuple[x509.ObjectIdentifier, str]]:
    """Return the right subject, but for some attributes."""
    oids = {
        "country": NameOID.COUNTRY_NAME,
        "number": NameOID.ORGANIZATION_IDENTIFIER,
        "organisation": NameOID.ORGANIZATION_NAME,
    }
    changed = {oids[name]: value for name, value in changes.items()}
    return [(oid, value) for oid, right in SUBJECT if (value := changed.get(oid, right)) is not None]


def nca(**changes: str) -> QcStatements:
    return replace(WEB, psd2=replace(PSD2, **changes))


def found(examination: Examination) -> list[tuple[FindingCode, str | None]]:
    """Return codes of findings, with the reason of the refusal where there is one."""
    return [(each.code, each.refusal.reason if each.refusal else None) for each in examination.findings]


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
FAULTS = {
    "self-signed": (self_signed().der, FindingCode.ISSUER, "mtls.untrusted"),
    "a stranger": (Authority("Foreign").qwac().der, FindingCode.ISSUER, "mtls.untrusted"),
    "a namesake": (strange(issuer=Authority("Issuing")), FindingCode.ISSUER, "mtls.untrusted"),
    "ours, not for TPPs": (strange(issuer=OTHER), FindingCode.ISSUER, "mtls.untrusted"),
    "for servers": (
        strange(purposes=[ExtendedKeyUsageOID.SERVER_AUTH]),
        FindingCode.CLIENT_PURPOSE,
        "mtls.eku",
    ),
    "expired": (strange(not_before=NOW - 60 * DAY, not_after=NOW - DAY), FindingCode.EXPIRED, "mtls.expired"),
    "not yet valid": (strange(not_before=NOW + DAY), FindingCode.NOT_YET_VALID, "mtls.not_yet_valid"),
    "weak key": (strange(key=ec.generate_private_key(ec.SECP256K1())), FindingCode.KEY, "mtls.chain"),
    "weak hash": (strange(signature=hashes.SHA224()), FindingCode.SIGNATURE, "mtls.chain"),
    "keyCertSign": (
        strange(key_usage=usage("digital_signature", "key_cert_sign")),
        FindingCode.AUTHORITY,
        "mtls.chain",
    ),
    "an authority": (strange(is_authority=True), FindingCode.AUTHORITY, "mtls.chain"),
    "critical statements": (strange(statements_critical=True), FindingCode.CRITICAL_EXTENSION, "mtls.chain"),
    "critical stranger": (strange(extensions=[(UNKNOWN, True)]), FindingCode.CRITICAL_EXTENSION, "mtls.chain"),
    "no issuer key": (strange(has_issuer_key=False), FindingCode.ISSUER_KEY_ID, "mtls.chain"),
    "no statements": (strange(statements=None), FindingCode.QC_MISSING, "mtls.not_a_qwac"),
    "no QcType": (strange(statements=replace(WEB, types=frozenset())), FindingCode.QC_TYPE, "mtls.not_a_qwac"),
    "seal in TLS": (strange(statements=SEAL), FindingCode.QC_TYPE, "mtls.not_a_qwac"),
    "no PSD2": (strange(statements=replace(WEB, psd2=None)), FindingCode.QC_PSD2, "mtls.not_a_qwac"),
    "no number": (strange(subject=named(number=None)), FindingCode.NUMBER_MISSING, "mtls.not_a_qwac"),
    "no signing": (strange(key_usage=usage("key_agreement")), FindingCode.KEY_USAGE, "mtls.not_a_qwac"),
    "no purposes": (strange(purposes=()), FindingCode.PURPOSE_MISSING, "mtls.not_a_qwac"),
    "not registered": (strange(subject=named(number="PSDDE-BAFIN-2")), FindingCode.TPP_UNKNOWN, "tpp.unknown"),
    "a bank": (
        strange(statements=replace(WEB, psd2=replace(PSD2, roles=frozenset({PspRole.AS})))),
        FindingCode.ROLES,
        "psd2.role",
    ),
}


@pytest.mark.parametrize(("der", "code", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_with_its_refusal(der: bytes, code: FindingCode, reason: str) -> None:
    """The one fault, and no other; departures of the test's own authorities may follow."""
    examination = doctor().examine(der)

    faults = [each for each in examination.findings if each.level is Level.FAULT]
    assert [(each.code, each.refusal.reason if each.refusal else None) for each in faults] == [(code, reason)]
    assert all(each.text and each.remedy and each.clause for each in faults)
    assert examination.refusal == faults[0].refusal
    assert examination.outcome is Outcome.REFUSED


def test_the_verifier_has_the_last_word() -> None:
    """What none of the named checks knows of: name constraints, which belong to authorities (RFC 5280 §4.2.1.10)."""
    constraints = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example")], excluded_subtrees=None)

    examination = doctor().examine(strange(extensions=[(constraints, True)]))

    assert found(examination)[0] == (FindingCode.CHAIN, "mtls.chain")
    assert "does not verify" in examination.findings[0].text
    assert "encountered processing" not in examination.findings[0].text


DEPARTURES = {
    "flat roles": (strange(statements=flatten_roles(RIGHT)), FindingCode.FLAT_ROLES),
    "unwrapped": (strange(statements=RIGHT[2:]), FindingCode.UNWRAPPED),
    "empty value": (
        strange(statements=outer(RIGHT[2:].replace(COMPLIANCE, outer(COMPLIANCE[2:] + b"\x0c\x00")))),
        FindingCode.EMPTY_VALUE,
    ),
    "role name": (strange(statements=RIGHT.replace(b"PSP_AI", b"AISP__")), FindingCode.ROLE_NAME),
    "string type": (strange(statements=RIGHT.replace(b"\x0c\x05BaFin", b"\x13\x05BaFin")), FindingCode.STRING_TYPE),
    "no compliance": (strange(statements=replace(WEB, compliance=False)), FindingCode.QC_COMPLIANCE),
    "a device": (strange(statements=replace(WEB, sscd=True)), FindingCode.QC_SSCD),
    "no country": (strange(subject=named(country=None)), FindingCode.SUBJECT),
    "no organisation": (strange(subject=named(organisation=None)), FindingCode.SUBJECT),
    "another NCA": (strange(statements=nca(nca_id="FR-ACPR")), FindingCode.NCA_MISMATCH),
    "NCA's name": (strange(statements=nca(nca_name="Бафин")), FindingCode.NCA_NAME),
    "no DNS name": (strange(dns_names=()), FindingCode.ALTERNATIVE_NAMES),
    "no keyUsage": (strange(has_key_usage=False), FindingCode.KEY_USAGE),
    "no policy": (strange(policies=()), FindingCode.POLICY),
    "a seal's policy": (strange(policies=["0.4.0.194112.1.1"]), FindingCode.POLICY),
    "a QWAC's policy in a seal": (seal(policies=["0.4.0.194112.1.6"]), FindingCode.POLICY),
    "no issuer address": (strange(addresses=ADDRESSES[:1]), FindingCode.ISSUER_ADDRESS),
    "no revocation address": (
        strange(addresses=ADDRESSES[1:]),
        FindingCode.REVOCATION_ADDRESS,
    ),
}


@pytest.mark.parametrize(("der", "code"), DEPARTURES.values(), ids=DEPARTURES)
def test_a_departure_is_found_and_accepted(der: bytes, code: FindingCode) -> None:
    examination = doctor().examine(der)

    departures = [each for each in examination.findings if each.level is Level.DEPARTURE]
    assert [each.code for each in departures] == [code]
    assert departures[0].refusal is None
    assert departures[0].text
    assert departures[0].remedy
    assert departures[0].clause
    assert examination.outcome is not Outcome.REFUSED


def test_an_unknown_role_is_a_departure_and_grants_nothing() -> None:
    """Of two roles one is left, so the other is missing as well."""
    examination = doctor().examine(strange(statements=RIGHT.replace(AI_OID, AI_OID[:-1] + b"\x09")))

    assert found(examination) == [(FindingCode.ROLE_MISSING, "psd2.role"), (FindingCode.ROLE_UNKNOWN, None)]
    assert examination.findings[0].only_for == "account information"
    assert examination.opens == ("payments",)


def test_a_number_of_another_form_can_belong_to_no_tpp() -> None:
    """Known without any register, since nobody can be registered with it."""
    examination = lonely_doctor().examine(strange(subject=named(number="VATDE-123456789")))

    assert found(examination) == [(FindingCode.TPP_UNKNOWN, "tpp.unknown"), (FindingCode.NUMBER_FORM, None)]


@pytest.mark.parametrize(
    ("id_", "codes"),
    [
        ("BAFIN", [FindingCode.NCA_FORM, FindingCode.NCA_MISMATCH]),
        ("DE-NOBODY", [FindingCode.NCA_UNKNOWN, FindingCode.NCA_MISMATCH]),
    ],
)
def test_an_authority_that_nobody_knows_is_named(id_: str, codes: list[FindingCode]) -> None:
    examination = doctor().examine(strange(statements=nca(nca_id=id_)))

    assert [code for code, _ in found(examination)] == codes


def test_a_right_qwac_has_nothing_to_be_found() -> None:
    examination = doctor().examine(strange())

    assert examination.findings == ()
    assert (examination.outcome, examination.refusal) == (Outcome.ACCEPTED, None)
    assert examination.opens == ("account information", "payments")
    assert examination.unchecked == (Unchecked.GATEWAY_STATE,)


def test_a_right_seal_is_sound_and_opens_no_connection() -> None:
    examination = doctor().examine(seal())

    assert found(examination) == [(FindingCode.IS_SEAL, "mtls.not_a_qwac")]
    assert examination.findings[0].level is Level.NOTE
    assert examination.outcome is Outcome.SOUND_SEAL


@pytest.mark.parametrize(
    ("der", "code"),
    [
        (seal(subject=named(number=None)), FindingCode.NUMBER_MISSING),
        (seal(statements=replace(SEAL, psd2=None)), FindingCode.QC_PSD2),
        (seal(key_usage=usage("key_encipherment")), FindingCode.KEY_USAGE),
        (seal(not_before=NOW - 60 * DAY, not_after=NOW - DAY), FindingCode.EXPIRED),
        (seal(subject=named(number="PSDDE-BAFIN-2")), FindingCode.TPP_UNKNOWN),
        (seal(statements=replace(SEAL, psd2=replace(PSD2, roles=frozenset({PspRole.AS})))), FindingCode.ROLES),
        (seal(issuer=OTHER), FindingCode.ISSUER),
    ],
)
def test_a_seal_with_a_fault_is_not_sound(der: bytes, code: FindingCode) -> None:
    examination = doctor().examine(der)

    assert [each.code for each in examination.findings if each.level is Level.FAULT] == [code]
    assert examination.outcome is Outcome.REFUSED


def test_every_fault_is_named_and_the_gateways_first_is_the_answer() -> None:
    """Expired, for servers only, without statements and from a stranger: all four, in the order of the gateway."""
    der = strange(
        issuer=OTHER,
        purposes=[ExtendedKeyUsageOID.SERVER_AUTH],
        not_before=NOW - 60 * DAY,
        not_after=NOW - DAY,
        statements=None,
    )

    examination = doctor().examine(der)

    reasons = [each.refusal.reason for each in examination.findings if each.refusal]
    assert reasons == ["mtls.untrusted", "mtls.eku", "mtls.expired", "mtls.not_a_qwac"]
    assert examination.refusal == examination.findings[0].refusal


@pytest.mark.parametrize(
    "der", [strange(statements=b"\x30\x05\x00"), strange(subject=[*SUBJECT, (NameOID.ORGANIZATION_IDENTIFIER, NUMBER)])]
)
def test_what_the_gateway_cannot_read_is_still_explained(der: bytes) -> None:
    """The fields that can be read are there; the finding says which can't."""
    examination = doctor().examine(der)

    assert found(examination) == [(FindingCode.MALFORMED, "mtls.malformed")]
    fields = {each.name: each for each in examination.fields}
    assert {"subject", "issuer", "validity", "keyUsage", "SHA-256"} <= fields.keys()


# --- what the sandbox has written down


def record(der: bytes, **changes: object) -> CertificateRecord:
    certificate = x509.load_der_x509_certificate(der)
    right = CertificateRecord(
        serial=serial_text(certificate.serial_number),
        ca="tpp-issuing",
        profile="qwac",
        subject="CN=acme.example",
        sha256=sha256_hex(der),
        key_sha256="",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issued_at=NOW - DAY,
        der=der,
        tpp="acme",
        authorisation_number=NUMBER,
    )
    return replace(right, **changes)  # type: ignore[arg-type]


REVOKED = {"status": CertificateStatus.REVOKED, "reason": RevocationReason.KEY_COMPROMISE, "revoked_at": NOW}


def test_a_revoked_certificate_says_when_and_why() -> None:
    der = strange()

    examination = doctor(archive=MemoryArchive(record(der, **REVOKED), tpps=[tpp()])).examine(der)

    assert found(examination) == [(FindingCode.REVOKED, "mtls.revoked")]
    assert f"{NOW:%Y-%m-%d %H:%M:%S} UTC, reason keyCompromise" in examination.findings[0].text
    assert "`sandbox cert issue acme`" in examination.findings[0].remedy


def test_the_record_of_another_certificate_with_the_same_serial_number_means_nothing() -> None:
    """A serial number is easily copied."""
    der = strange()
    other = record(der, **REVOKED, sha256="00" * 32)

    assert found(doctor(archive=MemoryArchive(other, tpps=[tpp()])).examine(der)) == []


def test_a_blocked_tpp_is_named() -> None:
    examination = doctor(archive=MemoryArchive(tpps=[tpp(status=TppStatus.BLOCKED)])).examine(strange())

    assert found(examination) == [(FindingCode.TPP_BLOCKED, "mtls.blocked")]


def test_a_tpp_that_was_removed_is_blocked_and_not_unknown() -> None:
    """The gateway keeps it as a blocked one; this sandbox knows it by the certificate it has issued."""
    der = strange()

    assert found(doctor(archive=MemoryArchive(record(der))).examine(der)) == [(FindingCode.TPP_BLOCKED, "mtls.blocked")]


def test_a_test_certificate_is_said_to_be_one() -> None:
    der = strange(statements=flatten_roles(RIGHT))
    archive = MemoryArchive(record(der, fault=Fault.FLAT_ENCODED), tpps=[tpp()])

    examination = doctor(archive=archive).examine(der)

    assert [code for code, _ in found(examination)] == [FindingCode.FLAT_ROLES, FindingCode.TEST_CERTIFICATE]
    assert examination.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(("days", "codes"), [(31, []), (30, [FindingCode.EXPIRES_SOON]), (0, [FindingCode.EXPIRES_SOON])])
def test_a_certificate_about_to_expire_says_so_in_time(days: int, codes: list[FindingCode]) -> None:
    examination = doctor().examine(strange(not_after=NOW + days * DAY))

    assert [code for code, _ in found(examination)] == codes
    assert examination.days_left == days


# --- without a sandbox


def test_without_a_sandbox_it_is_said_what_was_not_looked_at() -> None:
    """A certificate of an unknown authority may well be good; nobody here can tell."""
    examination = lonely_doctor().examine(strange(issuer=Authority("Foreign")))

    assert examination.findings == ()
    assert examination.outcome is Outcome.ACCEPTED
    assert examination.unchecked == tuple(Unchecked)
    assert all(each.text for each in Unchecked)


@pytest.mark.parametrize("name", ["expired", "for servers", "no statements", "critical statements", "weak hash", "weak key"])
def test_without_a_sandbox_what_the_certificate_shows_is_found(name: str) -> None:
    der, code, reason = FAULTS[name]

    assert found(lonely_doctor().examine(der)) == [(code, reason)]


def test_a_self_signed_certificate_needs_no_sandbox_to_be_found_out() -> None:
    key = Authority("acme.example")
    der = strange(issuer=key, key=key.key, subject=[(each.oid, str(each.value)) for each in key.name])

    assert found(lonely_doctor().examine(der))[0] == (FindingCode.ISSUER, "mtls.untrusted")


# --- bundles


def test_a_private_key_in_the_file_is_reported() -> None:
    key = ISSUING.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    examination = doctor().examine(pem(strange()) + key)

    assert found(examination) == [(FindingCode.PRIVATE_KEY, None)]


def test_a_bundle_in_the_wrong_order_is_reported_and_described() -> None:
    authority, root = ISSUING.certificate.public_bytes(Encoding.DER), Authority("Root").certificate.public_bytes(Encoding.DER)

    examination = doctor().examine(pem(authority, strange(), root, seal()))

    assert found(examination) == [(FindingCode.ORDER, None)]
    assert [(each.name, each.meaning.partition(":")[0]) for each in examination.companions] == [
        ("certificate 1", "the authority that issued it"),
        ("certificate 3", "a root"),
        ("certificate 4", "another certificate that is no authority's"),
    ]
