"""TLS of the public listeners: what reaches the application, what does not where Python cannot, and rotation."""

from __future__ import annotations

import datetime as dt
import os
import ssl
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from chassis.files import write_private, write_public
from chassis.home import Home
from gateway.edge.tls import contexts
from gateway.edge.tls.contexts import PublicTls, accept_any_certificate, ask_for_certificate
from gateway.edge.tls.self_test import UntrustedCertificateStopped, require_untrusted_certificate_reaches
from gateway.policies.model import Listener
from tests.support.pki import DAY, Authority, Issued, self_signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AUTHORITY = Authority()
VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


def unable(_context: ssl.SSLContext) -> None:
    """Stand for a Python that hides OpenSSL."""
    raise AttributeError("SSL_CTX_set_cert_verify_callback")


@pytest.fixture
def server(tmp_path: Path) -> Callable[[Callable[[ssl.SSLContext], None]], ssl.SSLContext]:
    """Make a server's TLS set-up that asks for a certificate."""
    anchor = tmp_path / "anchor.crt"
    anchor.write_text(AUTHORITY.pem)

    def make(accept_any: Callable[[ssl.SSLContext], None]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*AUTHORITY.server("localhost").write(tmp_path, "server"))
        ask_for_certificate(context, accept_any, fallback_anchors=[anchor, tmp_path / "not-there.crt"])
        return context

    return make


def presented(
    server: ssl.SSLContext, leaf: Issued | None, version: ssl.TLSVersion, folder: Path, *, group: str | None = None
) -> bytes | None:
    """Shake hands without a network; return the certificate that the server has."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.minimum_version = client.maximum_version = version
    if group is not None:
        client.set_ecdh_curve(group)
    if leaf is not None:
        client.load_cert_chain(*leaf.write(folder, "client"))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)]
    for _ in range(6):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return sides[1].getpeercert(binary_form=True)


def leaves() -> dict[str, Issued | None]:
    now = dt.datetime.now(dt.UTC)
    return {
        "none": None,
        "good": AUTHORITY.qwac(),
        "expired": AUTHORITY.qwac(not_before=now - 9 * DAY, not_after=now - DAY),
        "future": AUTHORITY.qwac(not_before=now + DAY, not_after=now + 9 * DAY),
        "foreign": Authority("Foreign").qwac(),
        "self-signed": self_signed(),
    }


@VERSIONS
@pytest.mark.parametrize("name", ["none", "good", "expired", "future", "foreign", "self-signed"])
def test_every_certificate_reaches_the_application(
    server: Callable[[Callable[[ssl.SSLContext], None]], ssl.SSLContext], name: str, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    """Whatever it is, and that there is none too."""
    leaf = leaves()[name]
    assert presented(server(accept_any_certificate), leaf, version, tmp_path) == (leaf.der if leaf else None)


@VERSIONS
def test_a_python_that_hides_openssl_still_hands_on_what_a_trusted_authority_has_issued(
    server: Callable[[Callable[[ssl.SSLContext], None]], ssl.SSLContext], version: ssl.TLSVersion, tmp_path: Path
) -> None:
    """Expired ones included, so that they get their answer; an untrusted one ends the handshake: closed, not open."""
    fallback = server(unable)
    made = leaves()
    for name in ("none", "good", "expired", "future"):
        leaf = made[name]
        assert presented(fallback, leaf, version, tmp_path) == (leaf.der if leaf else None)
    for name in ("foreign", "self-signed"):
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            presented(fallback, made[name], version, tmp_path)


def test_a_callback_that_does_nothing_is_noticed_at_start(
    server: Callable[[Callable[[ssl.SSLContext], None]], ssl.SSLContext], tmp_path: Path
) -> None:
    """The self-test does not believe, it tries."""
    context = server(lambda _context: None)
    with pytest.raises(UntrustedCertificateStopped, match="TLSv1_2"):
        require_untrusted_certificate_reaches(context)
    assert presented(context, leaves()["expired"], ssl.TLSVersion.TLSv1_3, tmp_path)


def test_a_server_that_asks_for_no_certificate_fails_the_self_test(tmp_path: Path) -> None:
    """It would have nothing to hand on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*AUTHORITY.server("localhost").write(tmp_path, "server"))
    with pytest.raises(UntrustedCertificateStopped, match="not handed on"):
        require_untrusted_certificate_reaches(context)


# --- groups ---


@pytest.mark.parametrize(("group", "is_taken"), [("prime256v1", True), ("secp384r1", True), ("secp521r1", False)])
def test_keys_are_agreed_on_by_the_groups_of_the_profile(group: str, tmp_path: Path, *, is_taken: bool) -> None:
    """Those of Mozilla's intermediate profile, and no others."""
    home = Home(tmp_path)
    install(home, AUTHORITY.server("localhost"))
    context = PublicTls(home).contexts[Listener.EDGE]
    outcome = nullcontext() if is_taken else pytest.raises(ssl.SSLError, match=r"NO_SUITABLE_KEY_SHARE|HANDSHAKE_FAILURE")
    with outcome:
        assert presented(context, None, ssl.TLSVersion.TLSv1_3, tmp_path, group=group) is None


# --- rotation ---


def install(home: Home, leaf: Issued) -> None:
    certificate, key = leaf.write(home.path / "made", "edge")
    pair = home.server("edge")
    with open(certificate, "rb") as source:  # noqa: PTH123 - a string path
        write_public(pair.certificate, source.read())
    with open(key, "rb") as source:  # noqa: PTH123 - a string path
        write_private(pair.key, source.read())


def later(home: Home) -> None:
    """Make the files look newer, whatever the file system's resolution."""
    for path in (home.server("edge").certificate, home.server("edge").key):
        stamp = path.stat().st_mtime_ns + 1_000_000
        os.utime(path, ns=(stamp, stamp))


def test_a_renewed_pair_is_taken_once_and_the_contexts_stay(tmp_path: Path) -> None:
    """The same contexts, so that ticket keys survive."""
    home = Home(tmp_path)
    install(home, AUTHORITY.server("localhost"))
    tls = PublicTls(home)
    before = dict(tls.contexts)
    assert not tls.reload_if_rotated()
    install(home, AUTHORITY.server("localhost"))
    later(home)
    assert tls.reload_if_rotated()
    assert not tls.reload_if_rotated()
    certificate = home.server("edge").certificate
    certificate.write_bytes("Straße\n".encode() + certificate.read_bytes())
    later(home)
    assert tls.reload_if_rotated()
    assert all(tls.contexts[listener] is before[listener] for listener in before)
    assert set(before) == {Listener.PORTAL, Listener.FRONT, Listener.EDGE, Listener.DEMO}


def test_a_pair_that_is_written_while_it_is_taken_breaks_no_handshake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was tried is what is used, and what is there by then is taken up the next time."""
    home = Home(tmp_path)
    install(home, AUTHORITY.server("localhost"))
    tls = PublicTls(home)
    install(home, AUTHORITY.server("localhost"))
    later(home)

    class Tried(ssl.SSLContext):
        def load_cert_chain(self, *paths: Any, **password: Any) -> None:
            super().load_cert_chain(*paths, **password)
            home.server("edge").certificate.write_text(AUTHORITY.server("localhost").pem)
            later(home)

    with monkeypatch.context() as patch:
        patch.setattr(contexts, "_bare_context", lambda: Tried(ssl.PROTOCOL_TLS_SERVER))
        tls.reload_if_rotated()
    for context in tls.contexts.values():
        assert presented(context, None, ssl.TLSVersion.TLSv1_3, tmp_path) is None
    install(home, AUTHORITY.server("localhost"))
    later(home)
    assert tls.reload_if_rotated()


def test_a_renewed_certificate_goes_out_without_the_staple_of_the_old_one(tmp_path: Path) -> None:
    """From the first handshake on: clients would break off. Whoever keeps the staple asks for the chain that is in force."""
    home = Home(tmp_path)
    install(home, AUTHORITY.server("localhost"))
    tls = PublicTls(home)
    assert tls.staple is not None
    tls.staple.response = b"of the first"
    later(home)
    assert tls.reload_if_rotated()
    assert tls.staple.response == b"of the first"  # written anew, and still the same

    renewed = AUTHORITY.server("localhost")
    install(home, renewed)
    later(home)
    assert renewed.pem not in tls.chain_pem
    assert tls.reload_if_rotated()
    assert renewed.pem in tls.chain_pem
    assert tls.staple.response is None


def test_a_pair_that_does_not_fit_or_is_gone_is_left_alone(tmp_path: Path) -> None:
    """Until it fits."""
    home = Home(tmp_path)
    install(home, AUTHORITY.server("localhost"))
    tls = PublicTls(home)
    home.server("edge").certificate.write_text(AUTHORITY.server("localhost").pem)
    later(home)
    assert not tls.reload_if_rotated()
    home.server("edge").key.unlink()
    assert not tls.reload_if_rotated()
    install(home, AUTHORITY.server("localhost"))
    later(home)
    assert tls.reload_if_rotated()
