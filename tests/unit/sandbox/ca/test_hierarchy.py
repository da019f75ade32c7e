"""The hierarchy on disk: made once, kept, renewed in time, repaired where it may be and refused where it may not."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from chassis.home import KeyPairPaths
from psd2.clock import FixedClock
from sandbox.ca.errors import HierarchyBusy, HierarchyDamaged
from sandbox.ca.locking import exclusive
from sandbox.ca.model import RevocationReason, serial_text
from tests.support.certificate_authority import NOW, MemoryRecords, Setting, setting

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = ("authorization", "admin", "bank", "portal")


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def names(certificate: x509.Certificate) -> list[str]:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def test_an_empty_home_gets_every_file_of_the_layout(standing: Setting) -> None:
    """docs/architecture.md §2 lists them."""
    cas = ("root", "tpp-issuing", "server-issuing", "internal", "ocsp-root", "ocsp-tpp-issuing", "ocsp-server-issuing")
    pairs = [standing.home.ca(name) for name in cas]
    pairs += [standing.home.server(name) for name in ("edge", *SERVERS)]
    pairs += [standing.home.internal(name) for name in ("gateway", "portal")]

    for pair in pairs:
        assert load(pair.certificate).serial_number
        assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600
    assert standing.home.trust_bundle.read_bytes() == standing.home.ca("root").certificate.read_bytes()


def test_a_tpps_own_server_gets_a_website_certificate_for_this_machine(standing: Setting) -> None:
    """What the bank calls by https shows it: kept while it is good, renewed by the same key, its key private."""
    paths = KeyPairPaths(standing.home.tpp("acme") / "listener.crt", standing.home.tpp("acme") / "listener.key")

    made = standing.authority.ensure_listener(paths)
    again = standing.authority.ensure_listener(paths)
    later = FixedClock(made.not_valid_after_utc - timedelta(days=1))
    renewed = standing.restarted(clock=later).ensure_listener(paths)

    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert (names(made), [*usage]) == (["localhost"], [ExtendedKeyUsageOID.SERVER_AUTH])
    assert made == again != renewed
    assert made.public_key() == renewed.public_key()
    assert stat.S_IMODE(paths.key.stat().st_mode) == 0o600
    serials = {serial_text(each.serial_number) for each in (made, renewed)}
    assert standing.records.statuses(serials).keys() == serials


def test_making_it_again_changes_nothing(standing: Setting) -> None:
    before = contents(standing.home.certs)

    issued = standing.restarted().ensure_hierarchy()

    assert issued == ()
    assert contents(standing.home.certs) == before


def test_the_edge_is_trusted_through_the_bundle_that_clients_are_given(standing: Setting) -> None:
    leaf, issuing = x509.load_pem_x509_certificates(standing.home.server("edge").certificate.read_bytes())
    anchors = Store(x509.load_pem_x509_certificates(standing.home.trust_bundle.read_bytes()))

    for name in (x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")), x509.IPAddress(ip_address("::1"))):
        verifier = PolicyBuilder().store(anchors).time(NOW).build_server_verifier(name)
        assert len(verifier.verify(leaf, [issuing])) == 3


def test_the_edge_is_called_by_the_public_host_too(tmp_path: Path) -> None:
    made = setting(tmp_path, public_host="bank.example.com")

    made.authority.ensure_hierarchy()

    assert names(load(made.home.server("edge").certificate)) == ["bank.example.com", "localhost"]


def test_a_public_host_may_be_an_address(tmp_path: Path) -> None:
    made = setting(tmp_path, public_host="192.0.2.7")

    made.authority.ensure_hierarchy()

    alternative = load(made.home.server("edge").certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert ip_address("192.0.2.7") in alternative.value.get_values_for_type(x509.IPAddress)


def test_an_internal_server_is_named_for_its_service_and_serves_only(standing: Setting) -> None:
    for name in SERVERS:
        certificate = load(standing.home.server(name).certificate)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert names(certificate) == [f"{name}.internal", name, "localhost"]
        assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_an_internal_caller_calls_only(standing: Setting) -> None:
    for name in ("gateway", "portal"):
        certificate = load(standing.home.internal(name).certificate)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert names(certificate) == [f"{name}.internal"]
        assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_public_root_opens_nothing_inside(standing: Setting) -> None:
    internal, root = load(standing.home.ca("internal").certificate), load(standing.home.ca("root").certificate)

    internal.verify_directly_issued_by(internal)
    root.verify_directly_issued_by(root)
    assert internal.subject != root.subject
    load(standing.home.internal("gateway").certificate).verify_directly_issued_by(internal)


def test_a_certificate_that_is_due_is_renewed_and_keeps_its_key(standing: Setting) -> None:
    """One file changes, atomically: a reloading listener can't meet a certificate with another's key."""
    pair = standing.home.server("bank")
    key, old = pair.key.read_bytes(), load(pair.certificate)
    standing.clock.advance(timedelta(days=21))

    renewed = standing.authority.renew_due()

    new = load(pair.certificate)
    assert serial_text(new.serial_number) in {record.serial for record in renewed}
    assert new.not_valid_after_utc > old.not_valid_after_utc
    assert pair.key.read_bytes() == key


def test_a_certificate_that_is_not_due_stays(standing: Setting) -> None:
    before = contents(standing.home.certs)
    standing.clock.advance(timedelta(days=19))

    assert standing.authority.renew_due() == ()
    assert contents(standing.home.certs) == before


def test_a_revoked_server_certificate_is_replaced_with_a_new_key(standing: Setting) -> None:
    pair = standing.home.server("edge")
    key, old = pair.key.read_bytes(), load(pair.certificate)
    standing.authority.revoke(serial_text(old.serial_number), RevocationReason.KEY_COMPROMISE)

    standing.authority.renew_due()

    assert load(pair.certificate).serial_number != old.serial_number
    assert pair.key.read_bytes() != key


def test_a_changed_public_host_renews_the_edge_only(standing: Setting) -> None:
    issued = standing.restarted(public_host="bank.example.com").ensure_hierarchy()

    assert [record.profile for record in issued] == ["server"]


def test_what_a_lost_authority_issued_is_issued_anew(standing: Setting) -> None:
    """Without its authority an internal certificate opens nothing, however long it is valid."""
    lost = standing.home.ca("internal")
    lost.certificate.unlink()
    lost.key.unlink()

    issued = standing.authority.ensure_hierarchy()

    assert sorted(record.profile for record in issued) == ["authority"] + ["internal-client"] * 4 + ["internal-server"] * 5
    load(standing.home.server("bank").certificate).verify_directly_issued_by(load(lost.certificate))


@pytest.mark.parametrize("spoilt", ["certificate", "key"])
def test_a_missing_or_unreadable_server_file_is_made_anew(standing: Setting, spoilt: str) -> None:
    pair = standing.home.server("bank")
    path = getattr(pair, spoilt)
    path.write_bytes(b"noise")

    issued = standing.authority.ensure_hierarchy()

    assert [record.profile for record in issued] == ["internal-server"]
    assert load(pair.certificate).public_key()
    assert standing.authority.ensure_hierarchy() == ()


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda home: home.ca("root").key.unlink(), r"root\.key: is missing"),
        (lambda home: home.ca("tpp-issuing").certificate.write_bytes(b"noise"), r"tpp-issuing\.crt: holds no certificate"),
        (lambda home: home.ca("tpp-issuing").key.write_bytes(b"noise"), r"tpp-issuing\.key: no private key"),
        (
            lambda home: home.ca("tpp-issuing").key.write_bytes(home.ca("root").key.read_bytes()),
            r"tpp-issuing\.key: is not the key of",
        ),
        (
            lambda home: [home.ca("root").key.unlink(), home.ca("root").certificate.unlink()],
            r"tpp-issuing\.crt: was not issued by the root",
        ),
    ],
)
def test_a_damaged_authority_is_refused_by_file_and_never_replaced(standing: Setting, spoil: object, named: str) -> None:
    """Others have put their trust in it: a new one in silence would lock every TPP out."""
    assert callable(spoil)
    spoil(standing.home)

    with pytest.raises(HierarchyDamaged, match=named) as refusal:
        standing.restarted().ensure_hierarchy()

    assert "let `sandbox up` make everything anew" in str(refusal.value)


def test_an_expired_authority_is_refused_by_file(standing: Setting) -> None:
    standing.clock.advance(timedelta(days=3_650))

    with pytest.raises(HierarchyDamaged, match=r"tpp-issuing\.crt: expired at"):
        standing.authority.ensure_hierarchy()


def test_everything_made_is_on_record(standing: Setting) -> None:
    records = standing.authority.certificates()

    assert len(records) == 17
    assert {record.tpp for record in records} == {None}


def test_a_lost_database_learns_what_stands_on_disk(standing: Setting) -> None:
    """Its certificates can be revoked again."""
    empty = MemoryRecords()
    authority = standing.restarted(records=empty)

    assert authority.ensure_hierarchy() == ()
    assert set(empty.certificates) == {record.serial for record in standing.authority.certificates()}


def test_several_processes_at_once_make_one_hierarchy(tmp_path: Path) -> None:
    made = setting(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        issued = list(pool.map(lambda _: made.restarted().ensure_hierarchy(), range(8)))

    assert sorted(len(each) for each in issued) == [0] * 7 + [17]


def test_a_lock_that_is_never_released_is_told_after_a_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.ca.locking._DEADLINE_SECONDS", 0.1)
    lock = tmp_path / "ca" / ".lock"

    with exclusive(lock), pytest.raises(HierarchyBusy, match="held by another process"), exclusive(lock):
        pytest.fail("two held the lock")
