"""pkilint, an independent linter that knows TS 119 495, EN 319 412 and RFC 5280, finds nothing wrong with what we issue.

Nothing above NOTICE, but for findings of the CA/Browser Forum (`cabf.…`): its rules are for names that browsers resolve
on the public internet, and the policy of our QWACs, QNCP-w-gen, makes no promise to keep them (EN 319 411-2 §5.3).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from pkilint import etsi, finding_filter, loader, pkix
from pkilint.bin import lint_pkix_signer_signee_cert_chain as chain_linter
from pkilint.etsi.etsi_constants import CertificateType
from pkilint.pkix import certificate, crl, extension, name
from pkilint.pkix import ocsp as ocsp_linter
from pkilint.validation import ValidationFindingSeverity

from psd2.ncas import NCAS
from psd2.roles import PspRole
from sandbox.ca.model import Fault, RevocationReason, TppCertificateKind
from sandbox.ca.profiles import ProfileName
from tests.support.certificate_authority import TPP, Setting, profiles, setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pkilint.validation import ValidationResult, ValidatorContainer

    from sandbox.ca.service import CertificateAuthority

QWAC, QSEAL = TppCertificateKind.QWAC, TppCertificateKind.QSEAL
GENERAL_QWAC = CertificateType.QNCP_W_GEN_LEGAL_PERSON_EIDAS_FINAL_CERTIFICATE
PSD2_QWACS = (
    CertificateType.QEVCP_W_PSD2_EIDAS_FINAL_CERTIFICATE,
    CertificateType.QEVCP_W_PSD2_EIDAS_NON_BROWSER_FINAL_CERTIFICATE,
)
SEAL = CertificateType.NCP_LEGAL_PERSON_CERTIFICATE  # pkilint's only type of a legal person's seal; it reads PSD2 in it too
EV_POLICY = "0.4.0.194112.1.4"

Findings = set[tuple[str, str]]


@pytest.fixture
def public(tmp_path: Path) -> Setting:
    """Lend an authority with addresses that a public one could have: nothing in its certificates is excused."""
    made = setting(
        tmp_path,
        pki_base="http://pki.sandbox-trust.com/pki",
        disclosure_url="https://www.sandbox-trust.com/pki/disclosure",
    )
    made.authority.ensure_hierarchy()
    return made


@pytest.fixture
def authority(public: Setting) -> CertificateAuthority:
    return public.authority


def above_notice(results: Iterable[ValidationResult]) -> Findings:
    """Collect code and message of every finding that counts; the graver the smaller the number."""
    return {
        (found.finding.code, str(found.message))
        for result in results
        for found in result.finding_descriptions
        if found.finding.severity < ValidationFindingSeverity.NOTICE and not found.finding.code.startswith("cabf.")
    }


def etsi_findings(pem: str, type_: CertificateType) -> Findings:
    """Do what `lint_etsi_cert lint` does."""
    document = loader.load_pem_certificate(pem, "certificate")
    results = etsi_validator(type_).validate(document.root)
    unfiltered, _filtered = finding_filter.filter_results(etsi.create_etsi_finding_filters(type_), results)
    return above_notice(unfiltered)


@cache
def etsi_validator(type_: CertificateType) -> ValidatorContainer:
    """Build once for each type: building takes far longer than linting."""
    return certificate.create_pkix_certificate_validator_container(
        etsi.create_decoding_validators(type_), etsi.create_validators(type_)
    )


def detected(pem: str) -> CertificateType:
    return etsi.determine_certificate_type(loader.load_pem_certificate(pem, "certificate"))


def pkix_findings(der: bytes) -> Findings:
    """Do what `lint_pkix_cert lint` does."""
    validator = certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )
    return above_notice(validator.validate(loader.load_der_certificate(der, "certificate").root))


def crl_findings(der: bytes) -> Findings:
    """Do what `lint_crl lint --profile PKIX` does."""
    validator = crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )
    return above_notice(validator.validate(loader.load_der_crl(der, "crl").root))


def ocsp_findings(der: bytes) -> Findings:
    """Do what `lint_ocsp_response lint` does."""
    validator = ocsp_linter.create_pkix_ocsp_response_validator_container(
        [
            ocsp_linter.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )
    return above_notice(validator.validate(loader.load_der_ocsp_response(der, "response").root))


def chain_findings(issuer: bytes, subject: bytes) -> Findings:
    """Do what `lint_pkix_signer_signee_cert_chain lint` does."""
    together: dict[str, object] = {}
    load = loader.RFC5280CertificateDocumentLoader().load_der_document
    for role, der in (("issuer", issuer), ("subject", subject)):
        together[role] = load(der, role, role, together)
    roots = {role: document.root for role, document in together.items()}  # type: ignore[attr-defined]
    decoder = chain_linter.create_decoder_validation_container()
    results = decoder.validate(roots["issuer"]) + decoder.validate(roots["subject"])
    results += chain_linter.create_issuer_validation_container().validate(roots["issuer"])
    results += chain_linter.create_subject_validation_container().validate(roots["subject"])
    return above_notice(results)


def test_a_qwac_is_a_qualified_certificate_for_websites(authority: CertificateAuthority) -> None:
    """Judged as what its policy and statements say it is."""
    pem = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC).certificate

    assert detected(pem) is GENERAL_QWAC
    assert etsi_findings(pem, GENERAL_QWAC) == set()


@pytest.mark.parametrize("type_", PSD2_QWACS)
def test_a_qwac_fulfils_what_pkilint_knows_of_psd2(public: Setting, type_: CertificateType) -> None:
    """The linter has PSD2 types for the EV policy only, so the one thing changed here is the policy."""
    ordinary = profiles()
    qwac = ordinary.profiles[ProfileName.QWAC].model_copy(update={"policies": (EV_POLICY,)})
    changed = ordinary.model_copy(update={"profiles": {**ordinary.profiles, ProfileName.QWAC: qwac}})
    authority = public.restarted(
        profiles=changed,
        pki_base="http://pki.sandbox-trust.com/pki",
        disclosure_url="https://www.sandbox-trust.com/pki/disclosure",
    )

    pem = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC).certificate

    assert etsi_findings(pem, type_) == set()


def test_a_qseal_is_right(authority: CertificateAuthority) -> None:
    pem = authority.issue_tpp_certificate(tpp=TPP, kind=QSEAL).certificate

    assert detected(pem) is SEAL
    assert etsi_findings(pem, SEAL) == set()


@pytest.mark.parametrize("kind", [QWAC, QSEAL])
def test_an_rsa_key_and_every_role_are_right_too(authority: CertificateAuthority, kind: TppCertificateKind) -> None:
    key = rsa.generate_private_key(65_537, 2_048)
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    request = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    tpp = replace(TPP, roles=frozenset(PspRole))

    pem = authority.issue_tpp_certificate(tpp=tpp, kind=kind, csr=request).certificate

    assert etsi_findings(pem, detected(pem)) == set()


@pytest.mark.parametrize("nca_id", sorted(NCAS))
def test_every_competent_authority_is_written_right(authority: CertificateAuthority, nca_id: str) -> None:
    """Identifier and name of TS 119 495 Annex D, and the authorisation number that goes with them."""
    nca = NCAS[nca_id]
    number = f"PSD{nca_id}-100001"
    tpp = replace(TPP, country=nca.country, authorisation_number=number, nca_id=nca_id, nca_name=nca.name)

    pem = authority.issue_tpp_certificate(tpp=tpp, kind=QWAC).certificate

    assert etsi_findings(pem, GENERAL_QWAC) == set()


def platform_certificates(home: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(home.rglob("*.crt")):
        yield path.name, x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)


def test_authorities_and_responders_are_right(public: Setting) -> None:
    found = {file: pkix_findings(der) for file, der in platform_certificates(public.home.certs / "ca")}

    assert all(findings == set() for findings in found.values()), found
    assert len(found) == 7


@pytest.mark.parametrize("folder", ["servers", "internal"])
def test_servers_and_callers_are_right_but_for_names_of_one_label(public: Setting, folder: str) -> None:
    """`localhost` and `bank` are no names of the public DNS, and are not meant to be."""
    labels = ("localhost", "authorization", "admin", "bank", "portal", "demo")
    allowed = {f'Invalid domain name syntax: "{label}"' for label in labels}

    for file, der in platform_certificates(public.home.certs / folder):
        found = pkix_findings(der)
        assert {code for code, _message in found} <= {"pkix.invalid_domain_name_syntax"}, file
        assert {message for _code, message in found} <= allowed, file


def test_the_platform_on_localhost_departs_in_the_name_localhost_only(tmp_path: Path) -> None:
    """By default CRL and OCSP are served at http://localhost:8439: reachable here, and a fault on the public internet."""
    local = setting(tmp_path)
    local.authority.ensure_hierarchy()

    for kind, type_ in ((QWAC, GENERAL_QWAC), (QSEAL, SEAL)):
        found = etsi_findings(local.authority.issue_tpp_certificate(tpp=TPP, kind=kind).certificate, type_)
        assert {code for code, _message in found} == {"pkix.invalid_uri_syntax", "etsi.internal_domain_name"}
        assert all("localhost" in message for _code, message in found)


@pytest.mark.parametrize("ca", ["root", "tpp-issuing", "server-issuing"])
@pytest.mark.parametrize("revoked", [False, True])
def test_a_list_is_right_empty_or_not(authority: CertificateAuthority, ca: str, *, revoked: bool) -> None:
    if revoked:
        own = next(record for record in authority.certificates() if record.ca == ca)
        authority.revoke(own.serial, RevocationReason.KEY_COMPROMISE)

    assert crl_findings(authority.crl(ca)) == set()


@pytest.mark.parametrize("revoked", [False, True])
@pytest.mark.parametrize("nonce", [None, b"n" * 32])
def test_an_ocsp_answer_is_right(authority: CertificateAuthority, nonce: bytes | None, *, revoked: bool) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    if revoked:
        authority.revoke(issued.serial, RevocationReason.SUPERSEDED)
    leaf = x509.load_pem_x509_certificate(issued.certificate.encode())
    issuer = x509.load_der_x509_certificate(authority.ca_certificate("tpp-issuing"))
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA256())
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)

    answer = authority.ocsp_response("tpp-issuing", builder.build().public_bytes(Encoding.DER))

    assert ocsp_findings(answer) == set()


def test_each_link_of_the_chain_fits_the_next(authority: CertificateAuthority) -> None:
    root, issuing = authority.ca_certificate("root"), authority.ca_certificate("tpp-issuing")
    leaf = x509.load_pem_x509_certificate(authority.issue_tpp_certificate(tpp=TPP, kind=QWAC).certificate.encode())

    assert chain_findings(root, issuing) == set()
    assert chain_findings(issuing, leaf.public_bytes(Encoding.DER)) == set()
    assert chain_findings(root, leaf.public_bytes(Encoding.DER)) != set()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.FLAT_ENCODED, "itu.invalid_asn1_syntax"),
        (Fault.MISSING_QC, "etsi.en_319_412_2.qc_statements_extension_absent"),
        (Fault.QSEAL_AS_QWAC, "etsi.en_319_412_5.gen-4.2.3.qc_type_mismatch"),
    ],
)
def test_the_oracle_sees_what_is_wrong_with_a_test_certificate(
    authority: CertificateAuthority, fault: Fault, code: str
) -> None:
    """A linter that never finds anything would prove nothing."""
    pem = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=fault).certificate

    assert code in {found for found, _message in etsi_findings(pem, GENERAL_QWAC)}
