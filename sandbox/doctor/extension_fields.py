"""The certificate's extensions in plain words (RFC 5280 §4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from sandbox.ca.content import COMMENT, QC_STATEMENTS
from sandbox.doctor.model import Field
from sandbox.doctor.words import KEY_USAGES, POLICIES, PURPOSES, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.doctor.case import Case

_TAG_AND_LENGTH: Final = 2  # of the comment's IA5String in its short form
_DESCRIBED: Final = frozenset(
    {
        x509.SubjectAlternativeName.oid,
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.BasicConstraints.oid,
        x509.CertificatePolicies.oid,
        x509.CRLDistributionPoints.oid,
        x509.AuthorityInformationAccess.oid,
        x509.SubjectKeyIdentifier.oid,
        x509.AuthorityKeyIdentifier.oid,
        QC_STATEMENTS,
        COMMENT,
    },
)


def _alternative_names(case: Case) -> Field | None:
    names = case.specimen.extension(x509.SubjectAlternativeName)
    if names is None:
        return None
    return Field("subjectAltName", tuple(map(_general_name, names)), "its host names; nobody connects to a TLS client by them")


def _general_name(name: x509.GeneralName) -> str:
    kinds = {x509.DNSName: "DNS", x509.IPAddress: "IP", x509.UniformResourceIdentifier: "URI", x509.RFC822Name: "e-mail"}
    return f"{kinds.get(type(name), type(name).__name__)} {shown(str(name.value))}"


def _key_usage(case: Case) -> Field | None:
    usage = case.specimen.extension(x509.KeyUsage)
    if usage is None:
        return None
    bits = {
        "digitalSignature": usage.digital_signature,
        "contentCommitment": usage.content_commitment,
        "keyEncipherment": usage.key_encipherment,
        "dataEncipherment": usage.data_encipherment,
        "keyAgreement": usage.key_agreement,
        "keyCertSign": usage.key_cert_sign,
        "cRLSign": usage.crl_sign,
    }
    values = tuple(name for name, is_set in bits.items() if is_set)
    return Field("keyUsage", values, "; ".join(KEY_USAGES[value] for value in values))


def _purposes(case: Case) -> Field | None:
    purposes = case.specimen.extension(x509.ExtendedKeyUsage)
    if purposes is None:
        return None
    words = [PURPOSES.get(oid, (oid.dotted_string, "a purpose that is not known here")) for oid in purposes]
    return Field("extendedKeyUsage", tuple(name for name, _ in words), "; ".join(meaning for _, meaning in words))


def _constraints(case: Case) -> Field | None:
    constraints = case.specimen.extension(x509.BasicConstraints)
    if constraints is None:
        return None
    if not constraints.ca:
        return Field("basicConstraints", ("no authority",), "it may not issue certificates")
    length = "any" if constraints.path_length is None else str(constraints.path_length)
    return Field("basicConstraints", ("authority",), f"it may issue certificates; authorities below it: {length}")


def _policies(case: Case) -> Field | None:
    policies = case.specimen.extension(x509.CertificatePolicies)
    if policies is None:
        return None
    oids = tuple(policy.policy_identifier.dotted_string for policy in policies)
    return Field("certificatePolicies", oids, "; ".join(POLICIES.get(oid, "the issuer's own policy") for oid in oids))


def _revocation_lists(case: Case) -> Field | None:
    points = case.specimen.extension(x509.CRLDistributionPoints)
    if points is None:
        return None
    addresses = tuple(uri for point in points for uri in _uris(point.full_name or ()))
    return Field("cRLDistributionPoints", addresses, "the issuer's list of revoked certificates")


def _uris(names: Iterable[x509.GeneralName]) -> tuple[str, ...]:
    return tuple(shown(name.value) for name in names if isinstance(name, x509.UniformResourceIdentifier))


def _ocsp(case: Case) -> Field | None:
    return _access(case, "OCSP", AuthorityInformationAccessOID.OCSP, "whom to ask whether it has been revoked")


def _issuers(case: Case) -> Field | None:
    return _access(case, "caIssuers", AuthorityInformationAccessOID.CA_ISSUERS, "where its issuer's certificate is")


def _access(case: Case, name: str, method: x509.ObjectIdentifier, meaning: str) -> Field | None:
    access = case.specimen.extension(x509.AuthorityInformationAccess)
    addresses = _uris(each.access_location for each in access or () if each.access_method == method)
    return Field(name, addresses, meaning) if addresses else None


def _subject_key(case: Case) -> Field | None:
    identifier = case.specimen.extension(x509.SubjectKeyIdentifier)
    return Field("subjectKeyIdentifier", (identifier.digest.hex(),), "its own key, by a hash of it") if identifier else None


def _authority_key(case: Case) -> Field | None:
    identifier = case.specimen.extension(x509.AuthorityKeyIdentifier)
    if identifier is None or identifier.key_identifier is None:
        return None
    return Field("authorityKeyIdentifier", (identifier.key_identifier.hex(),), "the issuer's key, by a hash of it")


def _comment(case: Case) -> Field | None:
    value = next((each.value for each in case.specimen.extensions if each.oid == COMMENT), None)
    if not isinstance(value, x509.UnrecognizedExtension):
        return None
    text = value.value[_TAG_AND_LENGTH:].decode("ascii", "replace")
    return Field("comment", (shown(text),), "a remark that nobody judges; test certificates name their fault here")


def _others(case: Case) -> Field | None:
    oids = tuple(
        f"{each.oid.dotted_string}{' (critical)' if each.critical else ''}"
        for each in case.specimen.extensions
        if each.oid not in _DESCRIBED
    )
    return Field("other extensions", oids, "nothing that is judged here") if oids else None


EXTENSION_FIELDS: Final[dict[str, Callable[[Case], Field | None]]] = {
    "subjectAltName": _alternative_names,
    "keyUsage": _key_usage,
    "extendedKeyUsage": _purposes,
    "basicConstraints": _constraints,
    "certificatePolicies": _policies,
    "cRLDistributionPoints": _revocation_lists,
    "OCSP": _ocsp,
    "caIssuers": _issuers,
    "subjectKeyIdentifier": _subject_key,
    "authorityKeyIdentifier": _authority_key,
    "comment": _comment,
    "other extensions": _others,
}
