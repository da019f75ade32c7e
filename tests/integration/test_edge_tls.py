"""TLS itself at the edge: old versions, weak ciphers, a certificate without its key, and whom it asks for one."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.edge import EdgeUnderTest, read_answer, running_edge
from tests.support.pki import Issued
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend one edge to all tests of this file."""
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_versions_get_an_alert_and_a_record(edge: EdgeUnderTest) -> None:
    """TLS 1.1 is told why it is refused."""
    context = edge.context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        edge.connect(context=context)
    wait_until(lambda: bool(edge.records(reason="tls.unsupported_protocol")), seconds=30, what="the record")


@pytest.mark.parametrize("ciphers", ["ECDHE-ECDSA-AES256-SHA384", "AES256-GCM-SHA384", "DHE-RSA-AES256-GCM-SHA384"])
def test_ciphers_without_forward_secrecy_or_aead_are_refused(edge: EdgeUnderTest, ciphers: str) -> None:
    """No CBC, no static RSA, no finite-field DH."""
    context = edge.context(version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        edge.connect(context=context)
    wait_until(lambda: bool(edge.records(reason="tls.no_shared_cipher")), seconds=30, what="the record")


def test_a_certificate_without_its_key_does_not_connect(edge: EdgeUnderTest) -> None:
    """TLS proves possession of the key, although it judges nothing else."""
    context = edge.context(version=ssl.TLSVersion.TLSv1_2)
    thief = edge.authority.qwac()
    forged = Issued(thief.certificate, ec.generate_private_key(ec.SECP256R1()))
    paths = forged.write(edge.home.path / "clients", "forged")
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        context.load_cert_chain(*paths)


def test_plain_http_to_a_tls_address_is_told_so(edge: EdgeUnderTest) -> None:
    """A helpful answer instead of a dead connection."""
    with socket.create_connection(("127.0.0.1", edge.ports.edge), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = read_answer(connection)
    assert answer.status == 400
    assert b"https://" in answer.body


def test_browsers_are_not_asked_for_a_certificate(edge: EdgeUnderTest) -> None:
    """The portal and the front take one from nobody, even if it is offered."""
    answer = edge.get("/anything", certificate=edge.qwac, port=edge.ports.portal)
    assert answer.status == 200
    headers = dict(answer.json["headers"])
    assert headers["x-sandbox-listener"] == "portal"
    assert "client-cert" not in headers
