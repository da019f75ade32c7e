"""The lint sees every departure from what was asked for, and a certificate that fails it is never signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from psd2.qcstatements import encode_qcstatements, flatten_roles
from psd2.qualified import PdsLocation, QcStatements, QcType
from psd2.roles import PspRole
from sandbox.ca.content import certificate_builder, pki_addresses
from sandbox.ca.errors import LintFailed
from sandbox.ca.issuance import Issuer, issue
from sandbox.ca.lint import Expectation, LintCode, lint
from sandbox.ca.orders import Basis, Order, authority_order, expectation, tpp_order
from sandbox.ca.profiles import AuthorityName, KeyUsageBit, ProfileName, Purpose
from tests.support.certificate_authority import NOW, TPP, profiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.ca.content import Content

PROFILES = profiles()
SERIAL = 1 << 150
ADDRESSES = pki_addresses("http://pki.example.com", "tpp-issuing")
DISCLOSURE = PdsLocation("https://pki.example.com/pds", "en")
KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
SMALL_KEY = rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - what the lint has to find


def make_issuer() -> Issuer:
    """Make an issuing authority, signed by itself, which its lint finds right."""
    key = ec.generate_private_key(ec.SECP256R1())
    basis = Basis(serial=SERIAL, public_key=key.public_key(), now=NOW, addresses=None)
    order = authority_order(PROFILES.authorities[AuthorityName.TPP_ISSUING], PROFILES.authority, basis)
    itself = Issuer("tpp-issuing", order.content.subject, key)
    expected = expectation(order, issuer=itself, now=NOW, key_rules=PROFILES.csr)
    return replace(itself, certificate=issue(order.content, issuer=itself, expected=expected))


ISSUER = make_issuer()


def qwac_order() -> Order:
    basis = Basis(serial=SERIAL, public_key=KEY.public_key(), now=NOW, addresses=ADDRESSES)
    return tpp_order(PROFILES.profiles[ProfileName.QWAC], TPP, basis, disclosure=DISCLOSURE, issuer=ISSUER)


ORDER = qwac_order()
EXPECTED = expectation(ORDER, issuer=ISSUER, now=NOW, key_rules=PROFILES.csr)


def rehearsed(content: Content, issuer: Issuer = ISSUER) -> x509.Certificate:
    builder = certificate_builder(content, issuer_name=issuer.subject, issuer_key=issuer.key.public_key())
    return builder.sign(issuer.key, hashes.SHA256())


def codes(certificate: x509.Certificate, expected: Expectation = EXPECTED) -> set[LintCode]:
    return {finding.code for finding in lint(certificate, expected)}


def statements(**changes: object) -> bytes:
    assert ORDER.statements is not None
    return encode_qcstatements(replace(ORDER.statements, **changes))  # type: ignore[arg-type]


def another_psd2(**changes: object) -> bytes:
    assert ORDER.statements is not None
    assert ORDER.statements.psd2 is not None
    return statements(psd2=replace(ORDER.statements.psd2, **changes))  # type: ignore[arg-type]


def without_country(content: Content) -> x509.Name:
    return x509.Name([attribute for attribute in content.subject if attribute.oid != NameOID.COUNTRY_NAME])


def test_what_was_asked_for_has_no_finding() -> None:
    assert lint(rehearsed(ORDER.content), EXPECTED) == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda c: replace(c, serial=4_711), LintCode.SERIAL),
        (lambda c: replace(c, not_after=NOW - timedelta(minutes=1)), LintCode.VALIDITY_EXPIRED),
        (lambda c: replace(c, not_before=NOW + timedelta(minutes=1)), LintCode.VALIDITY_FUTURE),
        (lambda c: replace(c, not_after=c.not_after + timedelta(seconds=1)), LintCode.VALIDITY_PERIOD),
        (lambda c: replace(c, subject=without_country(c)), LintCode.SUBJECT),
        (lambda c: replace(c, dns_names=()), LintCode.ALTERNATIVE_NAMES),
        (lambda c: replace(c, dns_names=("other.example.com",)), LintCode.ALTERNATIVE_NAMES),
        (lambda c: replace(c, public_key=OTHER_KEY.public_key()), LintCode.KEY),
        (lambda c: replace(c, public_key=SMALL_KEY.public_key()), LintCode.KEY),
        (lambda c: replace(c, key_usage=c.key_usage | {KeyUsageBit.CONTENT_COMMITMENT}), LintCode.KEY_USAGE),
        (lambda c: replace(c, extended_key_usage=(Purpose.SERVER_AUTH,)), LintCode.EXTENDED_KEY_USAGE),
        (lambda c: replace(c, extended_key_usage=()), LintCode.EXTENDED_KEY_USAGE),
        (lambda c: replace(c, path_length=0), LintCode.EXTENSIONS),
        (lambda c: replace(c, policies=("0.4.0.194112.1.4",)), LintCode.EXTENSIONS),
        (lambda c: replace(c, addresses=None), LintCode.EXTENSIONS),
        (lambda c: replace(c, comment="surprise"), LintCode.EXTENSIONS),
        (lambda c: replace(c, ocsp_no_check=True), LintCode.EXTENSIONS),
        (lambda c: replace(c, qc_statements=None), LintCode.QC_MISSING),
        (lambda c: replace(c, qc_statements=b"\x04\x00"), LintCode.QC_ENCODING),
        (lambda c: replace(c, qc_statements=flatten_roles(c.qc_statements)), LintCode.QC_ENCODING),
        (lambda c: replace(c, qc_statements=statements(types=frozenset({QcType.ESEAL}))), LintCode.QC_TYPE),
        (lambda c: replace(c, qc_statements=another_psd2(roles=frozenset({PspRole.AS}))), LintCode.QC_ROLES),
        (lambda c: replace(c, qc_statements=another_psd2(nca_name="Somebody")), LintCode.QC_CONTENT),
        (lambda c: replace(c, qc_statements=statements(compliance=False)), LintCode.QC_CONTENT),
    ],
)
def test_each_departure_is_found_and_nothing_else(change: Callable[[Content], Content], code: LintCode) -> None:
    assert codes(rehearsed(change(ORDER.content))) == {code}


def test_a_certificate_that_outlives_its_issuer_is_found() -> None:
    assert EXPECTED.issuer_life is not None
    early_end = (EXPECTED.issuer_life[0], ORDER.content.not_after - timedelta(seconds=1))

    found = codes(rehearsed(ORDER.content), replace(EXPECTED, issuer_life=early_end))

    assert found == {LintCode.VALIDITY_WITHIN_ISSUER}


@pytest.mark.parametrize(
    "issuer",
    [
        replace(ISSUER, key=OTHER_KEY),
        replace(ISSUER, subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")])),
    ],
)
def test_another_issuer_by_key_or_by_name_is_found(issuer: Issuer) -> None:
    assert codes(rehearsed(ORDER.content, issuer)) == {LintCode.ISSUER}


def test_statements_where_none_belong_are_found() -> None:
    unqualified = replace(EXPECTED, statements=None)

    assert codes(rehearsed(ORDER.content), unqualified) == {LintCode.QC_CONTENT}


def test_another_order_of_right_statements_is_no_right_encoding() -> None:
    """What we issue is byte for byte what the encoder writes; anything else was made by somebody else."""
    assert ORDER.statements is not None
    compliance = encode_qcstatements(QcStatements(compliance=True))[2:]
    right = encode_qcstatements(ORDER.statements)
    assert right[3:].startswith(compliance)
    swapped = right[:3] + right[3 + len(compliance) :] + compliance

    assert codes(rehearsed(replace(ORDER.content, qc_statements=swapped))) == {LintCode.QC_ENCODING}


def test_a_wrong_criticality_is_found() -> None:
    builder = x509.CertificateBuilder(
        issuer_name=ISSUER.subject,
        subject_name=ORDER.content.subject,
        public_key=KEY.public_key(),
        serial_number=SERIAL,
        not_valid_before=ORDER.content.not_before,
        not_valid_after=ORDER.content.not_after,
    )
    for extension in rehearsed(ORDER.content).extensions:
        builder = builder.add_extension(extension.value, critical=not isinstance(extension.value, x509.KeyUsage))

    assert codes(builder.sign(ISSUER.key, hashes.SHA256())) == {LintCode.EXTENSIONS}


def test_what_fails_the_lint_is_never_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rehearsal is signed by a throw-away key; the authority's own key sees right certificates only."""
    signed_with: list[object] = []
    sign = x509.CertificateBuilder.sign

    def watched(builder: x509.CertificateBuilder, key: object, algorithm: object) -> x509.Certificate:
        signed_with.append(key)
        return sign(builder, key, algorithm)  # type: ignore[arg-type]

    monkeypatch.setattr(x509.CertificateBuilder, "sign", watched)
    wrong = replace(ORDER.content, extended_key_usage=())

    with pytest.raises(LintFailed, match="extended_key_usage: none") as failure:
        issue(wrong, issuer=ISSUER, expected=EXPECTED)

    assert [finding.code for finding in failure.value.findings] == [LintCode.EXTENDED_KEY_USAGE]
    assert len(signed_with) == 1
    assert ISSUER.key not in signed_with


def test_what_is_signed_is_what_was_rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    sign = x509.CertificateBuilder.sign

    def signing_something_else(builder: x509.CertificateBuilder, key: object, algorithm: object) -> x509.Certificate:
        if key is ISSUER.key:
            builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
        return sign(builder, key, algorithm)  # type: ignore[arg-type]

    monkeypatch.setattr(x509.CertificateBuilder, "sign", signing_something_else)

    with pytest.raises(LintFailed, match="not the one that was rehearsed"):
        issue(ORDER.content, issuer=ISSUER, expected=EXPECTED)


def test_a_second_fault_beside_the_one_asked_for_is_refused() -> None:
    twice_wrong = replace(ORDER.content, extended_key_usage=(), dns_names=())

    with pytest.raises(LintFailed, match="subject_alternative_names"):
        issue(twice_wrong, issuer=ISSUER, expected=EXPECTED, faults=frozenset({LintCode.EXTENDED_KEY_USAGE}))


def test_a_fault_that_did_not_come_about_is_refused() -> None:
    with pytest.raises(LintFailed, match=r"lacks the fault asked for: qc\.roles"):
        issue(ORDER.content, issuer=ISSUER, expected=EXPECTED, faults=frozenset({LintCode.QC_ROLES}))
