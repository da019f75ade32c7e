"""Fields in plain words, and the examination as JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from psd2.qcstatements import encode_qcstatements, flatten_roles
from psd2.qualified import PdsLocation
from psd2.thumbprints import sha256_hex, x5t_s256
from sandbox.ca.content import COMMENT
from sandbox.doctor.documents import examination_document, gateway_says, verdict
from sandbox.doctor.words import listed, shown, span_text
from tests.support.doctor import ISSUING, KEY, NOW, OTHER, PSD2, SEAL, SUBJECT, WEB, doctor, lonely_doctor, pem, seal, strange
from tests.support.pki import DAY

if TYPE_CHECKING:
    from sandbox.doctor.model import Field

CROWDED = strange(
    statements=replace(WEB, pds=(PdsLocation(url="https://tsp.example/pds", language="en"),)),
    addresses=(
        x509.CRLDistributionPoints(
            [x509.DistributionPoint([x509.UniformResourceIdentifier("http://tsp.example/crl")], None, None, None)]
        ),
        x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(
                    x509.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://o.example")
                ),
                x509.AccessDescription(
                    x509.AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://i.example")
                ),
            ]
        ),
    ),
    extensions=[
        (x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), False),
        (x509.UnrecognizedExtension(COMMENT, b"\x16\x05a\x1bx\nz"), False),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), False),
    ],
)


def fields(der: bytes) -> dict[str, Field]:
    return {field.name: field for field in doctor().examine(der).fields}


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("subject", None, "Acme GmbH, established in DE"),
        ("organizationIdentifier", ("PSDDE-BAFIN-100001",), "licensed in DE by the authority BAFIN (Federal Financial"),
        ("organizationIdentifier", ("PSDDE-BAFIN-100001",), "knows it as 100001"),
        ("issuer", ("CN=Issuing,C=DE",), "tpp-issuing authority, whom its gateway trusts"),
        ("validity", None, "200 days left"),
        ("public key", ("EC, secp256r1, 256 bits",), "private half"),
        ("signature", ("1.2.840.10045.4.3.2",), "ECDSA with SHA-256"),
        ("subjectAltName", ("DNS acme.example",), "host names"),
        ("keyUsage", ("digitalSignature",), "TLS handshakes"),
        ("extendedKeyUsage", ("clientAuth", "serverAuth"), "by a TLS client, which a TPP is"),
        ("basicConstraints", ("no authority",), "may not issue"),
        ("certificatePolicies", ("0.4.0.194112.1.6",), "QNCP-w-gen"),
        ("cRLDistributionPoints", ("http://tsp.example/crl",), "revoked certificates"),
        ("OCSP", ("http://o.example",), "has been revoked"),
        ("caIssuers", ("http://i.example",), "issuer's certificate"),
        ("comment", ("a\\x1bx\\nz",), "remark"),
        ("other extensions", ("1.3.6.1.4.1.99999.1",), "judged"),
        ("QcCompliance", ("yes",), "qualified"),
        ("QcType", ("web",), "a QWAC"),
        ("QcPDS", ("https://tsp.example/pds (en)",), "disclosure"),
        ("PSD2 roles", ("PSP_AI", "PSP_PI"), "account information (AISP); payment initiation (PISP)"),
        ("NCA", ("DE-BAFIN", "BaFin"), "Federal Financial Supervisory Authority, which has licensed"),
        ("SHA-256", (sha256_hex(CROWDED),), "fingerprint"),
        ("x5t#S256", (x5t_s256(CROWDED),), "access tokens are bound to it"),
        ("sandbox's record", ("none",), "has not issued it"),
    ],
)
def test_each_field_is_there_in_plain_words(name: str, values: tuple[str, ...] | None, words: str) -> None:
    field = fields(CROWDED)[name]

    assert words in field.meaning
    assert values is None or field.values == values


def test_the_organization_identifier_has_its_name_in_the_subject() -> None:
    """2.5.4.97 says nothing to people."""
    assert fields(strange())["subject"].values == (
        "CN=acme.example,organizationIdentifier=PSDDE-BAFIN-100001,O=Acme GmbH,C=DE",
    )


@pytest.mark.parametrize(
    ("der", "words"),
    [
        (strange(not_before=NOW + 2 * DAY), "begins in 2 days"),
        (strange(not_before=NOW - 60 * DAY, not_after=NOW - DAY), "expired 1 day ago"),
        (strange(not_after=NOW + timedelta(hours=5)), "5 hours left"),
        (strange(not_after=NOW), "less than a minute left"),
    ],
)
def test_validity_is_told_by_the_clock(der: bytes, words: str) -> None:
    assert fields(der)["validity"].meaning == words


@pytest.mark.parametrize(
    ("der", "name", "shows"),
    [
        (strange(key=rsa.generate_private_key(65_537, 2_048)), "public key", "RSA, 2048 bits"),
        (strange(key=ed25519.Ed25519PrivateKey.generate()), "public key", "Ed25519"),
        (strange(issuer=OTHER), "issuer", "this sandbox's server-issuing authority"),
        (ISSUING.certificate.public_bytes(Encoding.DER), "basicConstraints", "authorities below it: any"),
        (strange(statements=flatten_roles(encode_qcstatements(WEB))), "encoding", "flat-roles"),
        (strange(statements=replace(WEB, sscd=True)), "QcSSCD", "secure signature device"),
        (seal(), "QcType", "a QSealC, which signs messages"),
        (seal(), "keyUsage", "contentCommitment"),
        (strange(purposes=[ExtendedKeyUsageOID.CLIENT_AUTH, x509.ObjectIdentifier("1.2.3")]), "extendedKeyUsage", "1.2.3"),
        (strange(policies=["1.2.3"]), "certificatePolicies", "the issuer's own policy"),
        (strange(subject=SUBJECT[:2]), "subject", "Acme GmbH"),
        (strange(subject=[(NameOID.ORGANIZATION_IDENTIFIER, "VATDE-1")]), "organizationIdentifier", "no authorisation number"),
        (strange(statements=replace(WEB, psd2=replace(PSD2, nca_id="DE-X"))), "NCA", "on no list"),
        (
            strange(
                dns_names=(), extensions=[(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("192.0.2.1"))]), False)]
            ),
            "subjectAltName",
            "IP 192.0.2.1",
        ),
    ],
)
def test_other_certificates_show_other_words(der: bytes, name: str, shows: str) -> None:
    field = fields(der)[name]

    assert shows in " ".join((*field.values, field.meaning))


def test_what_is_not_in_the_certificate_is_no_field() -> None:
    der = strange(subject=[], statements=None, purposes=(), policies=(), dns_names=(), addresses=(), has_key_usage=False)

    assert set(fields(der)) == {
        "subject",
        "issuer",
        "serialNumber",
        "validity",
        "public key",
        "signature",
        "basicConstraints",
        "authorityKeyIdentifier",
        "SHA-256",
        "x5t#S256",
        "sandbox's record",
    }


def test_a_strangers_text_cannot_write_on_the_terminal() -> None:
    """Escape sequences, line ends and writing from right to left come out as what they are."""
    assert shown("a\x1b[31m\r\nb\u202ec\x00") == "a\\x1b[31m\\r\\nb\\u202ec\\x00"
    assert shown("x" * 600) == "x" * 500 + "… (600 characters)"
    title = doctor().examine(strange(subject=[(NameOID.ORGANIZATION_NAME, "Evil\x1b]0;\x07"), *SUBJECT[2:]])).title
    assert title == "QWAC of Evil\\x1b]0;\\x07, PSDDE-BAFIN-100001"


@pytest.mark.parametrize(
    ("der", "title"),
    [
        (strange(), "QWAC of Acme GmbH, PSDDE-BAFIN-100001"),
        (seal(), "QSealC of Acme GmbH, PSDDE-BAFIN-100001"),
        (strange(statements=None, subject=SUBJECT[3:]), "certificate of acme.example"),
        (strange(statements=None, subject=[]), "certificate"),
        (strange(statements=b"\x30\x05\x00"), "certificate that can't be read"),
        (ISSUING.certificate.public_bytes(Encoding.DER), "authority's certificate of Issuing"),
    ],
)
def test_the_title_says_what_it_is_and_whose(der: bytes, title: str) -> None:
    assert doctor().examine(der).title == title


def test_words_are_joined_and_spans_named_as_people_do() -> None:
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    spans = [timedelta(days=2), timedelta(hours=47), timedelta(hours=2), timedelta(minutes=61), timedelta(seconds=90)]
    assert [span_text(span) for span in spans] == ["2 days", "1 day", "2 hours", "1 hour", "1 minute"]


@pytest.mark.parametrize(
    ("der", "sentence"),
    [
        (strange(), "The gateway accepts it as a QWAC, for account information and payments."),
        (
            seal(),
            "It is a sound QSealC. It signs messages; in TLS the gateway answers 401 CERTIFICATE_INVALID (mtls.not_a_qwac).",
        ),
        (strange(issuer=OTHER), "The gateway refuses it: 401 CERTIFICATE_INVALID (mtls.untrusted)."),
        (seal(issuer=OTHER), "The gateway refuses it: 401 CERTIFICATE_INVALID (mtls.untrusted)."),
    ],
)
def test_the_verdict_is_one_sentence(der: bytes, sentence: str) -> None:
    assert verdict(doctor().examine(der)) == sentence


def test_without_a_sandbox_the_verdict_hangs_on_the_issuer() -> None:
    assert verdict(lonely_doctor().examine(strange())) == (
        "A gateway that trusts its issuer accepts it as a QWAC, for account information and payments."
    )


def test_of_each_finding_it_is_said_what_the_gateway_does() -> None:
    departure = doctor().examine(strange(dns_names=())).findings[0]
    fault = doctor().examine(strange(issuer=OTHER)).findings[0]
    half = doctor().examine(strange(statements=replace(WEB, psd2=replace(PSD2, roles=frozenset(list(PSD2.roles)[:1])))))
    sealed = doctor().examine(seal(statements=replace(SEAL, psd2=None)))

    assert gateway_says(departure) == "accepts it in spite of this"
    assert gateway_says(fault) == "answers 401 CERTIFICATE_INVALID (mtls.untrusted)"
    assert gateway_says(half.findings[0]).startswith("answers 401 ROLE_INVALID (psd2.role) to requests for ")
    assert gateway_says(sealed.findings[1]) == "does not look at this"


def test_an_examination_is_json_that_programs_can_read() -> None:
    """Names stay; what is absent is null."""
    document = examination_document(
        doctor().examine(
            pem(strange(not_before=NOW - 60 * DAY, not_after=NOW - DAY), ISSUING.certificate.public_bytes(Encoding.DER))
        )
    )

    assert set(document) == {
        "title",
        "kind",
        "sha256",
        "examined_at",
        "days_left",
        "outcome",
        "refusal",
        "verdict",
        "opens",
        "findings",
        "fields",
        "companions",
        "unchecked",
    }
    assert (document["kind"], document["outcome"], document["days_left"]) == ("qwac", "refused", -1)
    assert document["refusal"] == {"status": 401, "code": "CERTIFICATE_EXPIRED", "reason": "mtls.expired"}
    assert document["findings"][0]["code"] == "validity.expired"
    assert document["findings"][0]["refusal"] == document["refusal"]
    assert document["findings"][0]["only_for"] is None
    assert document["fields"]["PSD2 roles"]["values"] == ["PSP_AI", "PSP_PI"]
    assert list(document["companions"]) == ["certificate 2"]
    assert document["unchecked"] == ["gateway_state"]
