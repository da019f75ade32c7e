"""Revocation is for good and published before it returns; lists are numbered, complete and never stale."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.trust.crl_bounds import MOST_BYTES
from sandbox.ca.crl import RevokedEntry, sign_crl
from sandbox.ca.errors import NotRevocable, UnknownAuthority, UnknownCertificate
from sandbox.ca.issuance import Issuer
from sandbox.ca.model import CertificateStatus, Fault, RevocationReason, TppCertificateKind
from sandbox.ca.quota import MOST_ON_A_LIST
from tests.support.certificate_authority import NOW, TPP, MemoryRecords, Setting, profiles

if TYPE_CHECKING:
    from sandbox.ca.service import CertificateAuthority

QWAC = TppCertificateKind.QWAC
PUBLISHING = ("root", "tpp-issuing", "server-issuing")


def crl(authority: CertificateAuthority, ca: str = "tpp-issuing") -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(authority.crl(ca))


def number(revocations: x509.CertificateRevocationList) -> int:
    return revocations.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


@pytest.mark.parametrize("ca", PUBLISHING)
def test_a_list_is_signed_by_its_authority_and_complete(authority: CertificateAuthority, ca: str) -> None:
    issuer = x509.load_der_x509_certificate(authority.ca_certificate(ca))

    revocations = crl(authority, ca)

    key = issuer.public_key()
    assert revocations.is_signature_valid(key)  # type: ignore[arg-type]
    assert revocations.issuer == issuer.subject
    named = revocations.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert named == issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert not any(extension.critical for extension in revocations.extensions)
    assert revocations.last_update_utc == NOW.replace(microsecond=0)
    assert revocations.next_update_utc == NOW.replace(microsecond=0) + timedelta(hours=168)


def test_a_revocation_is_in_the_list_when_it_returns(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    before = crl(authority)

    record = authority.revoke(issued.serial, "keyCompromise")

    after = crl(authority)
    entry = after.get_revoked_certificate_by_serial_number(int(issued.serial, 16))
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    assert (record.status, record.reason, record.revoked_at) == (
        CertificateStatus.REVOKED,
        RevocationReason.KEY_COMPROMISE,
        NOW,
    )
    assert number(after) > number(before)


@pytest.mark.parametrize("reason", list(RevocationReason))
def test_every_reason_is_published_as_the_standard_writes_it(authority: CertificateAuthority, reason: RevocationReason) -> None:
    """RFC 5280 §5.3.1; unspecified is told by leaving the reason out."""
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    authority.revoke(issued.serial, reason)

    entry = crl(authority).get_revoked_certificate_by_serial_number(int(issued.serial, 16))
    assert entry is not None
    told = [extension.value.reason.value for extension in entry.extensions if isinstance(extension.value, x509.CRLReason)]
    assert told == ([] if reason is RevocationReason.UNSPECIFIED else [reason.value])


@pytest.mark.parametrize("reason", ["", "certificateHold", "removeFromCRL", "KEYCOMPROMISE"])
def test_what_is_no_reason_is_refused(authority: CertificateAuthority, reason: str) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    with pytest.raises(NotRevocable, match="is no reason: unspecified, keyCompromise"):
        authority.revoke(issued.serial, reason)

    assert authority.certificate(issued.serial).status is CertificateStatus.VALID


def test_a_revoked_certificate_stays_as_it_was_revoked(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    authority.revoke(issued.serial, RevocationReason.KEY_COMPROMISE)

    with pytest.raises(NotRevocable, match="is revoked already"):
        authority.revoke(issued.serial, RevocationReason.SUPERSEDED)

    assert authority.certificate(issued.serial).reason is RevocationReason.KEY_COMPROMISE


def test_an_unknown_certificate_cannot_be_revoked(authority: CertificateAuthority) -> None:
    with pytest.raises(UnknownCertificate):
        authority.revoke("12ab", RevocationReason.SUPERSEDED)


@pytest.mark.parametrize("fault", [Fault.SELF_SIGNED, Fault.UNKNOWN_ISSUER])
def test_what_we_did_not_sign_we_cannot_revoke(authority: CertificateAuthority, fault: Fault) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=fault)

    with pytest.raises(NotRevocable, match="publishes no revocations"):
        authority.revoke(issued.serial, RevocationReason.SUPERSEDED)


def test_a_list_is_the_same_until_it_is_due(standing: Setting) -> None:
    before = standing.authority.crl("tpp-issuing")
    standing.clock.advance(timedelta(hours=83))

    assert standing.authority.crl("tpp-issuing") == before


def test_a_list_is_signed_anew_long_before_it_ends(standing: Setting) -> None:
    before = crl(standing.authority)
    standing.clock.advance(timedelta(hours=84))

    after = crl(standing.authority)

    assert number(after) > number(before)
    assert after.last_update_utc == standing.clock.now().replace(microsecond=0)


def test_renewing_what_is_due_renews_the_lists(standing: Setting) -> None:
    """So that a list is fresh even if nobody asked for it."""
    numbers = {ca: number(crl(standing.authority, ca)) for ca in PUBLISHING}
    standing.clock.advance(timedelta(hours=84))

    standing.authority.renew_due()

    published = {ca: standing.records.crl(ca) for ca in PUBLISHING}
    assert all(new is not None and new.number > numbers[ca] for ca, new in published.items())


def test_numbers_grow_even_when_the_database_was_lost(standing: Setting) -> None:
    """A gateway that remembers a higher number would refuse every list of ours (RFC 5280 §5.2.3)."""
    before = number(crl(standing.authority))
    standing.clock.advance(timedelta(seconds=1))

    assert number(crl(standing.restarted(records=MemoryRecords()))) > before


def test_numbers_grow_even_when_the_clock_goes_back(standing: Setting) -> None:
    before = number(crl(standing.authority))
    issued = standing.authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    standing.clock.advance(timedelta(minutes=-5))

    standing.authority.revoke(issued.serial, RevocationReason.SUPERSEDED)

    assert number(crl(standing.authority)) == before + 1


def test_an_authority_made_anew_signs_its_list_anew(standing: Setting) -> None:
    """The old one's list was signed by a key that nobody has any more."""
    before = number(crl(standing.authority))
    shutil.rmtree(standing.home.certs)
    standing.authority.ensure_hierarchy()

    revocations = crl(standing.authority)

    issuer = x509.load_der_x509_certificate(standing.authority.ca_certificate("tpp-issuing"))
    assert revocations.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    assert number(revocations) > before


def test_an_expired_certificate_leaves_the_list_after_a_month(standing: Setting) -> None:
    issued = standing.authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    serial = int(issued.serial, 16)
    standing.authority.revoke(issued.serial, RevocationReason.SUPERSEDED)

    standing.clock.advance(timedelta(days=365 + 29))
    just_before = crl(standing.authority).get_revoked_certificate_by_serial_number(serial)
    standing.clock.advance(timedelta(days=4))
    after = crl(standing.authority).get_revoked_certificate_by_serial_number(serial)

    assert just_before is not None
    assert after is None


def test_each_authority_lists_its_own(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    authority.revoke(issued.serial, RevocationReason.SUPERSEDED)

    assert len(crl(authority, "tpp-issuing")) == 1
    assert len(crl(authority, "server-issuing")) == 0


@pytest.mark.parametrize("ca", ["internal", "stranger", "", "../root"])
def test_a_name_without_a_list_is_refused(authority: CertificateAuthority, ca: str) -> None:
    with pytest.raises(UnknownAuthority):
        authority.crl(ca)


def test_a_revoked_issuing_authority_is_in_the_roots_list(authority: CertificateAuthority) -> None:
    issuing = x509.load_der_x509_certificate(authority.ca_certificate("server-issuing"))

    authority.revoke(f"{issuing.serial_number:x}", RevocationReason.CA_COMPROMISE)

    assert crl(authority, "root").get_revoked_certificate_by_serial_number(issuing.serial_number) is not None


def test_the_certificate_of_an_authority_is_served_by_its_name(authority: CertificateAuthority) -> None:
    issuing = x509.load_der_x509_certificate(authority.ca_certificate("tpp-issuing"))

    issuing.verify_directly_issued_by(x509.load_der_x509_certificate(authority.ca_certificate("root")))
    with pytest.raises(UnknownAuthority, match="'nobody' is no certificate authority here: root"):
        authority.ca_certificate("nobody")


def test_the_longest_list_is_one_that_the_gateway_takes() -> None:
    """By what a thousand entries of the largest kind add to it."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "a long name" * 4)])
    issuer, rules = Issuer("tpp-issuing", name, ec.generate_private_key(ec.SECP256R1())), profiles().crl

    def size(entries: int) -> int:
        serials = (f"{(1 << 158) + place:040x}" for place in range(entries))
        listed = [RevokedEntry(serial, RevocationReason.KEY_COMPROMISE, NOW) for serial in serials]
        return len(sign_crl(issuer, listed, number=1 << 158, now=NOW, rules=rules).der)

    entry = (size(1_001) - size(1)) / 1_000
    assert size(1) + MOST_ON_A_LIST * entry < MOST_BYTES
