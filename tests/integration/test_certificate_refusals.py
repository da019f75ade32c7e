"""Every certificate that opens nothing, over the wire, on TLS 1.2 and 1.3: refused over HTTP, never by a dead handshake.

The listener itself: TLS 1.2 and 1.3 only, forward secrecy and AEAD only.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.patience import IN_FORCE_SECONDS
from tests.support.pki import Authority, self_signed
from tests.support.tpps import open_stage, registered
from tpp_client.identity import Credential
from tpp_client.journeys.ais import ais_journey
from tpp_client.refusals import refusal_of
from tpp_client.transport import MutualTlsTransport
from tpp_client.wire import HttpRequest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pki import Issued
    from tests.support.platform import RunningPlatform
    from tpp_client.identity import TppIdentity
    from tpp_client.wire import HttpResponse

BOTH_TLS = pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls1.2", "tls1.3"])
FAULTS = {
    "expired": ("CERTIFICATE_EXPIRED", "mtls.expired"),
    "not-yet-valid": ("CERTIFICATE_INVALID", "mtls.not_yet_valid"),
    "revoked": ("CERTIFICATE_REVOKED", "mtls.revoked"),
    "self-signed": ("CERTIFICATE_INVALID", "mtls.untrusted"),
    "unknown-issuer": ("CERTIFICATE_INVALID", "mtls.untrusted"),
    "missing-qc": ("CERTIFICATE_INVALID", "mtls.not_a_qwac"),
    "qseal-as-qwac": ("CERTIFICATE_INVALID", "mtls.not_a_qwac"),
    "wrong-eku": ("CERTIFICATE_INVALID", "mtls.eku"),
    "wrong-name": ("CERTIFICATE_INVALID", "tpp.unknown"),
}


@pytest.fixture(scope="module")
def identity(platform: RunningPlatform) -> TppIdentity:
    return registered(platform)


@pytest.fixture(scope="module")
def faulty(platform: RunningPlatform, identity: TppIdentity) -> TppIdentity:
    """Have the authority issue a certificate with every fault."""
    for fault in FAULTS:
        platform.sandbox("cert", "issue", identity.name, "--kind", "qwac", "--fault", fault)
    return identity


@BOTH_TLS
def test_no_certificate_is_missing_one(identity: TppIdentity, tls: ssl.TLSVersion) -> None:
    """401 CERTIFICATE_MISSING."""
    require_refused(read_accounts(identity, None, tls), "CERTIFICATE_MISSING", "mtls.missing")


@BOTH_TLS
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_own_reason(faulty: TppIdentity, tls: ssl.TLSVersion, fault: str) -> None:
    """Issued by the sandbox's own authority, wrong in exactly one way."""
    credential = faulty.faulty(fault)
    assert credential is not None

    # A revocation takes effect soon; everything else holds at once.
    require_refused_soon(faulty, credential, tls, *FAULTS[fault])


@BOTH_TLS
def test_a_seal_certificate_opens_no_connection(identity: TppIdentity, tls: ssl.TLSVersion) -> None:
    """TS 119 495: the real QSealC of the same TPP."""
    require_refused(read_accounts(identity, identity.qseal, tls), "CERTIFICATE_INVALID", "mtls.not_a_qwac")


@BOTH_TLS
@pytest.mark.parametrize("stranger", ["self-signed", "foreign authority", "foreign chain"])
def test_strangers_are_not_trusted(identity: TppIdentity, tls: ssl.TLSVersion, stranger: str, tmp_path: Path) -> None:
    """Certificates that say all the right things, vouched for by nobody we know."""
    credential = written(strangers()[stranger], tmp_path)

    require_refused(read_accounts(identity, credential, tls), "CERTIFICATE_INVALID", "mtls.untrusted")


@BOTH_TLS
def test_a_blocked_tpp_is_told_so(platform: RunningPlatform, tls: ssl.TLSVersion) -> None:
    """The operator's word counts more than any certificate."""
    blocked = registered(platform)
    platform.sandbox("tpp", "block", blocked.name)

    require_refused_soon(blocked, blocked.qwac, tls, "CERTIFICATE_BLOCKED", "mtls.blocked")


@pytest.mark.parametrize("path", ["/token", "/v1/accounts", "/sandbox/v1/data"])
def test_each_kind_of_interface_says_it_in_its_own_words(identity: TppIdentity, path: str) -> None:
    """tppMessages, an OAuth error, or a problem: the reason is the same."""
    with MutualTlsTransport(cafile=identity.cafile, credential=None) as transport:
        method = "POST" if path == "/token" else "GET"
        answer = transport.send(HttpRequest(method=method, url=f"{identity.edge}{path}"))

    document = json.loads(answer.body)
    assert (answer.status, document["reason"]) == (401, "mtls.missing")
    assert {"tppMessages", "error", "title"} & set(document)


def test_a_token_of_one_tpp_over_anothers_certificate_is_invalid(platform: RunningPlatform, identity: TppIdentity) -> None:
    """RFC 8705 §3: 401 invalid_token, and the same without any certificate."""
    other = registered(platform)
    with open_stage(identity) as stage:
        granted = ais_journey(stage)
    bearer = {"Authorization": f"Bearer {granted.tokens.access_token}", "Consent-ID": granted.consent_id}

    stolen = read_accounts(identity, other.qwac, None, bearer)
    naked = read_accounts(identity, None, None, bearer)

    require_refused(stolen, "TOKEN_INVALID", "token.cnf_mismatch")
    assert 'error="invalid_token"' in stolen.headers["www-authenticate"]
    assert naked.status == 401


@pytest.mark.parametrize(("option", "accepted"), [("-tls1", False), ("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_only_tls_1_2_and_1_3_are_spoken(
    platform: RunningPlatform, identity: TppIdentity, option: str, *, accepted: bool
) -> None:
    """RFC 9325 §3.1.1; at security level 0, so that a refusal is the server's."""
    connected = s_client(platform, identity, option, "-cipher", "ALL:@SECLEVEL=0")

    assert ("New, TLSv1" in connected and "Cipher is (NONE)" not in connected) is accepted, connected[-500:]


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA", "AES128-SHA", "AES128-GCM-SHA256"])
def test_no_cbc_and_no_static_key_exchange(platform: RunningPlatform, identity: TppIdentity, suite: str) -> None:
    """RFC 9325 §4.2: forward secrecy and AEAD only."""
    connected = s_client(platform, identity, "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0")

    assert "Cipher is (NONE)" in connected, connected[-500:]


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])
def test_modern_suites_are_spoken(platform: RunningPlatform, identity: TppIdentity, suite: str) -> None:
    """Or the test above could pass by a server that is down."""
    assert f"Cipher is {suite}" in s_client(platform, identity, "-tls1_2", "-cipher", suite)


def test_the_server_proves_itself_by_the_trust_bundle(platform: RunningPlatform, identity: TppIdentity) -> None:
    """`certs/trust.pem` is all that a client needs."""
    assert "Verify return code: 0 (ok)" in s_client(platform, identity, "-verify_hostname", "localhost")


def read_accounts(
    identity: TppIdentity, credential: Credential | None, tls: ssl.TLSVersion | None, headers: dict[str, str] | None = None
) -> HttpResponse:
    with MutualTlsTransport(cafile=identity.cafile, credential=credential, tls=tls) as transport:
        return transport.send(HttpRequest(method="GET", url=f"{identity.edge}/v1/accounts", headers=headers or {}))


def require_refused(answer: HttpResponse, code: str, reason: str) -> None:
    refusal = refusal_of(answer)
    assert (refusal.status, refusal.code, refusal.reason) == (401, code, reason), str(refusal)
    assert refusal.hint


def require_refused_soon(identity: TppIdentity, credential: Credential, tls: ssl.TLSVersion, code: str, reason: str) -> None:
    """Fail unless the refusal is there soon."""
    deadline = time.monotonic() + IN_FORCE_SECONDS
    while refusal_of(answer := read_accounts(identity, credential, tls)).reason != reason and time.monotonic() < deadline:
        time.sleep(0.05)
    require_refused(answer, code, reason)


def strangers() -> dict[str, Issued]:
    return {
        "self-signed": self_signed(),
        "foreign authority": Authority("PSD2 Sandbox TPP Issuing CA").qwac(),
        "foreign chain": Authority("Issuing CA", parent=Authority("Root CA")).qwac(),
    }


def written(issued: Issued, folder: Path) -> Credential:
    from pathlib import Path

    certificate, key = issued.write(folder, "stranger")
    return Credential(certificate=Path(certificate), key=Path(key))


def s_client(platform: RunningPlatform, identity: TppIdentity, *options: str) -> str:
    """Return what `openssl s_client` says about a handshake with the edge."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    address = f"localhost:{platform.ports.edge}"
    command = [openssl, "s_client", "-connect", address, "-CAfile", str(identity.cafile), *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT")}
    done = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=30, env=environment)
    return (done.stdout + done.stderr).decode(errors="replace")
