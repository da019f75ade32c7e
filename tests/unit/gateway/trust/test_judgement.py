"""Judging certificates: each test's certificate is wrong in exactly one way."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.trust.judgement import Judge
from gateway.trust.rules import CrlRules, RevocationRules, StoreRules, UnknownStatus
from gateway.trust.snapshot import CrlInForce, TrustSnapshot
from gateway.trust.verdict import Distrust, Distrusted
from psd2.thumbprints import sha256_hex
from tests.support.pki import DAY, NUMBER, Authority, Issued, self_signed, twin_of

if TYPE_CHECKING:
    from psd2.certificates import Psd2Certificate
    from tests.support.pki import PrivateKey

NOW = dt.datetime.now(dt.UTC)
_TOO_FEW_BITS = 1024
ROOT = Authority("Root")
ISSUING = Authority("Issuing", parent=ROOT)


def crl_of(authority: Authority, *revoked: Issued, next_update: dt.datetime = NOW + DAY) -> dict[str, CrlInForce]:
    crl = CrlInForce(
        number=1,
        this_update=(NOW - DAY).timestamp(),
        next_update=next_update.timestamp(),
        revoked=frozenset(each.certificate.serial_number for each in revoked),
    )
    return {sha256_hex(authority.name.public_bytes()): crl}


def judge(
    snapshot: TrustSnapshot | None = None, *, unknown_status_is_fatal: bool = True, crl_grace_seconds: float = 0
) -> Judge:
    trusting = TrustSnapshot(
        anchors=(ROOT.certificate,), intermediates=(ISSUING.certificate,), crls=crl_of(ROOT) | crl_of(ISSUING)
    )
    unknown = UnknownStatus.HARD if unknown_status_is_fatal else UnknownStatus.SOFT
    revocation = RevocationRules(unknown=unknown, crl=CrlRules(grace_seconds=crl_grace_seconds))
    return Judge(snapshot or trusting, StoreRules(revocation=revocation))


def judged(judging: Judge, leaf: Issued, at: dt.datetime = NOW) -> Psd2Certificate:
    return judging.require_trusted(leaf.der, digest=hashlib.sha256(leaf.der).digest(), now=at.timestamp()).certificate


def refused(judging: Judge, leaf: Issued, at: dt.datetime = NOW) -> Distrust:
    with pytest.raises(Distrusted) as caught:
        judged(judging, leaf, at)
    return caught.value.distrust


def test_a_qwac_of_a_trusted_authority_is_trusted() -> None:
    """The leaf alone is enough: its issuing CA is in the trust store."""
    assert judged(judge(), ISSUING.qwac()).authorisation_number == NUMBER


def test_a_qwac_needs_no_subject_alternative_name() -> None:
    """Nobody connects to a TPP's client certificate."""
    judged(judge(), ISSUING.qwac(with_san=False))


def test_an_unreadable_certificate_is_malformed() -> None:
    """Bytes that are no certificate at all."""
    with pytest.raises(Distrusted) as caught:
        judge().require_trusted(b"\x30\x03nop", digest=b"d", now=NOW.timestamp())
    assert caught.value.distrust is Distrust.MALFORMED


def test_unreadable_statements_are_malformed() -> None:
    """A certificate whose QCStatements are broken DER."""
    assert refused(judge(), ISSUING.qwac(statements=b"\x30\x05\x00")) is Distrust.MALFORMED


def test_a_foreign_authority_is_untrusted() -> None:
    """The same profile from a CA that is not in the store."""
    assert refused(judge(), Authority("Foreign").qwac()) is Distrust.UNTRUSTED


def test_a_self_signed_certificate_is_untrusted() -> None:
    """It vouches for itself."""
    assert refused(judge(), self_signed()) is Distrust.UNTRUSTED


def test_an_authority_with_a_trusted_name_and_another_key_is_untrusted() -> None:
    """A name is no proof."""
    assert refused(judge(), Authority("Issuing").qwac()) is Distrust.UNTRUSTED


def test_a_leaf_below_a_leaf_is_untrusted() -> None:
    """An end-entity certificate cannot issue."""
    attacker = Authority("tpp.example")
    attacker.key = ISSUING.qwac().key
    assert refused(judge(), attacker.qwac()) is Distrust.UNTRUSTED


def test_a_chain_through_an_expired_authority_is_no_chain() -> None:
    """The leaf is in time, its issuing CA is not."""
    old = Authority("Old issuing", parent=ROOT, not_after=NOW - DAY)
    snapshot = TrustSnapshot(anchors=(ROOT.certificate,), intermediates=(old.certificate,), crls=crl_of(ROOT) | crl_of(old))
    assert refused(judge(snapshot), old.qwac()) is Distrust.CHAIN


def test_a_path_longer_than_the_authority_permits_is_no_chain() -> None:
    """A pathLen of 0 allows leaves only (RFC 5280 §4.2.1.9)."""
    last = Authority("Last", parent=ROOT, path_length=0)
    beyond = Authority("Beyond", parent=last)
    snapshot = TrustSnapshot(
        anchors=(ROOT.certificate,),
        intermediates=(last.certificate, beyond.certificate),
        crls=crl_of(ROOT) | crl_of(last) | crl_of(beyond),
    )
    assert refused(judge(snapshot), beyond.qwac()) is Distrust.CHAIN


def test_a_server_only_certificate_has_the_wrong_purpose() -> None:
    """An extendedKeyUsage without clientAuth."""
    assert refused(judge(), ISSUING.qwac(usages=[ExtendedKeyUsageOID.SERVER_AUTH])) is Distrust.EKU


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, _TOO_FEW_BITS),
        ec.generate_private_key(ec.SECP256K1()),
        ec.generate_private_key(ec.SECP224R1()),
    ],
    ids=["RSA 1024", "secp256k1", "P-224"],
)
def test_a_weak_key_is_refused(key: PrivateKey) -> None:
    """A trusted CA may have issued it; TS 119 312 does not let us take it."""
    assert refused(judge(), ISSUING.qwac(subject_key=key)) is Distrust.CHAIN


@pytest.mark.parametrize(
    "key",
    [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()],
    ids=["RSA 2048", "P-384", "Ed25519"],
)
def test_keys_of_other_kinds_are_taken(key: PrivateKey) -> None:
    """Not only P-256."""
    judged(judge(), ISSUING.qwac(subject_key=key))


def test_an_expired_certificate_is_told_from_an_untrusted_one() -> None:
    """Also where it ran out before the CA itself came into force."""
    assert refused(judge(), ISSUING.qwac(not_before=NOW - 60 * DAY, not_after=NOW - DAY)) is Distrust.EXPIRED
    assert refused(judge(), ISSUING.qwac(not_before=NOW - 900 * DAY, not_after=NOW - 800 * DAY)) is Distrust.EXPIRED


def test_an_expired_certificate_of_a_foreign_authority_is_untrusted_first() -> None:
    """What a stranger's certificate says about its own time is worth nothing."""
    foreign = Authority("Foreign").qwac(not_before=NOW - 60 * DAY, not_after=NOW - DAY)
    assert refused(judge(), foreign) is Distrust.UNTRUSTED


def test_a_certificate_of_the_future_is_not_yet_valid() -> None:
    """Its notBefore lies ahead."""
    assert refused(judge(), ISSUING.qwac(not_before=NOW + DAY, not_after=NOW + 2 * DAY)) is Distrust.NOT_YET_VALID


def test_a_revoked_certificate_is_refused() -> None:
    """Its serial number stands in its issuer's CRL."""
    leaf = ISSUING.qwac()
    snapshot = TrustSnapshot(
        anchors=(ROOT.certificate,), intermediates=(ISSUING.certificate,), crls=crl_of(ROOT) | crl_of(ISSUING, leaf)
    )
    assert refused(judge(snapshot), leaf) is Distrust.REVOKED
    judged(judge(snapshot), ISSUING.qwac())


def test_a_serial_number_revoked_by_another_authority_means_nothing() -> None:
    """Serial numbers are unique for one issuer only."""
    leaf = ISSUING.qwac()
    snapshot = TrustSnapshot(
        anchors=(ROOT.certificate,), intermediates=(ISSUING.certificate,), crls=crl_of(ROOT, leaf) | crl_of(ISSUING)
    )
    judged(judge(snapshot), leaf)


def test_a_leaf_of_a_revoked_authority_is_refused() -> None:
    """The root's CRL lists the issuing CA."""
    authority = Issued(ISSUING.certificate, ISSUING.key)
    snapshot = TrustSnapshot(
        anchors=(ROOT.certificate,), intermediates=(ISSUING.certificate,), crls=crl_of(ROOT, authority) | crl_of(ISSUING)
    )
    assert refused(judge(snapshot), ISSUING.qwac()) is Distrust.REVOKED


def test_without_a_crl_the_status_is_unknown() -> None:
    """Hard fail refuses, soft fail admits."""
    snapshot = TrustSnapshot(anchors=(ROOT.certificate,), intermediates=(ISSUING.certificate,), crls=crl_of(ROOT))
    assert refused(judge(snapshot), ISSUING.qwac()) is Distrust.REVOCATION_UNKNOWN
    judged(judge(snapshot, unknown_status_is_fatal=False), ISSUING.qwac())


def test_a_crl_serves_until_its_next_update_and_the_grace_after_it() -> None:
    """The same judge changes its mind as time passes, without a new snapshot."""
    leaf = ISSUING.qwac()
    judging = judge(crl_grace_seconds=3600)
    judged(judging, leaf, NOW + DAY)
    judged(judging, leaf, NOW + DAY + dt.timedelta(minutes=59))
    assert refused(judging, leaf, NOW + DAY + dt.timedelta(minutes=61)) is Distrust.REVOCATION_UNKNOWN


def test_a_blocked_certificate_is_refused_before_anything_else() -> None:
    """The operator's word goes first, even for one that is expired too."""
    leaf = ISSUING.qwac(not_before=NOW - 60 * DAY, not_after=NOW - DAY)
    snapshot = TrustSnapshot(
        anchors=(ROOT.certificate,),
        intermediates=(ISSUING.certificate,),
        crls=crl_of(ROOT) | crl_of(ISSUING),
        blocked=frozenset({sha256_hex(leaf.der)}),
    )
    assert refused(judge(snapshot), leaf) is Distrust.BLOCKED


def test_a_blocked_certificates_twin_is_blocked_too() -> None:
    """Its holder makes it without any key: the same certificate under another hash."""
    leaf = ISSUING.qwac()
    twin = replace(leaf, certificate=twin_of(leaf.certificate, ec.SECP256R1()))
    snapshot = TrustSnapshot(
        anchors=(ROOT.certificate,),
        intermediates=(ISSUING.certificate,),
        crls=crl_of(ROOT) | crl_of(ISSUING),
        blocked=frozenset({leaf.sha256}),
    )
    judged(judge(), twin)

    assert refused(judge(snapshot), twin) is Distrust.BLOCKED


def test_a_qsealc_is_no_tls_certificate() -> None:
    """Trusted, in time, with its role: for signatures, not for connections."""
    assert refused(judge(), ISSUING.qseal()) is Distrust.NOT_A_QWAC


def test_a_certificate_without_statements_is_no_qwac() -> None:
    """An ordinary client certificate of the same CA."""
    assert refused(judge(), ISSUING.plain()) is Distrust.NOT_A_QWAC


def test_a_qwac_without_authorisation_number_is_no_qwac() -> None:
    """Nothing says which TPP it belongs to."""
    assert refused(judge(), ISSUING.qwac(number=None)) is Distrust.NOT_A_QWAC


def test_a_remembered_verdict_ends_with_the_certificate() -> None:
    """A long-lived connection's certificate runs out while it is open."""
    leaf = ISSUING.qwac(not_after=NOW + dt.timedelta(minutes=5))
    judging = judge()
    judged(judging, leaf)
    assert refused(judging, leaf, NOW + dt.timedelta(minutes=6)) is Distrust.EXPIRED


def test_a_remembered_refusal_ends_when_the_certificate_comes_into_force() -> None:
    """The same judge, a day later."""
    leaf = ISSUING.qwac(not_before=NOW + dt.timedelta(hours=1), not_after=NOW + 2 * DAY)
    judging = judge()
    assert refused(judging, leaf) is Distrust.NOT_YET_VALID
    judged(judging, leaf, NOW + dt.timedelta(hours=2))


def test_a_remembered_refusal_gathers_nothing_however_often_it_is_raised() -> None:
    """A client that comes again and again with a bad certificate fills no memory."""
    leaf = ISSUING.qwac(not_after=NOW - dt.timedelta(minutes=5))
    judging = judge()
    for _ in range(3):
        with pytest.raises(Distrusted) as caught:
            judged(judging, leaf)
    depth, trace = 0, caught.value.__traceback__
    while trace is not None:
        depth, trace = depth + 1, trace.tb_next
    assert depth <= 3
    assert caught.value.authorisation_number == NUMBER
