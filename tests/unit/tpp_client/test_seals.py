"""Signing requests with a TPP's QSealC."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from psd2.certificates import parse_certificate
from psd2.clock import FixedClock
from psd2.digests import require_digest
from psd2.http_signatures import SignatureAlgorithm, SignatureHeader, signing_string, verify
from psd2.key_ids import require_key_id
from tests.support.pki import Authority, Issued
from tests.unit.tpp_client.fakes import EDGE, ScriptedTransport, answer
from tpp_client.errors import IdentityUnusable
from tpp_client.identity import Credential
from tpp_client.seals import Seal, SigningTransport, load_seal
from tpp_client.wire import HttpRequest, form_request, json_request

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2026, 11, 22, 17, 0, tzinfo=dt.UTC)
AUTHORITY = Authority()


def written(issued: Issued, folder: Path) -> Credential:
    """Write a certificate and its key."""
    issued.write(folder, "qseal")
    return Credential(certificate=folder / "qseal.crt", key=folder / "qseal.key")


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    return load_seal(written(AUTHORITY.qseal(), tmp_path))


def require_verified(request: HttpRequest) -> tuple[str, ...]:
    """Raise unless the request's signature is right; returns what it covers."""
    values = {name.lower(): [value] for name, value in request.headers.items()}
    certificate = parse_certificate(base64.b64decode(request.headers["TPP-Signature-Certificate"]))
    header = SignatureHeader.parse(request.headers["Signature"])
    require_key_id(header.key_id, certificate)
    require_digest(request.headers["Digest"], request.body or b"")
    message = signing_string(header.fields, values)
    verify(certificate.x509.public_key(), SignatureAlgorithm(header.algorithm), message, header.signature)
    return header.fields


def test_a_signed_request_covers_what_the_guidelines_ask_for(seal: Seal) -> None:
    """BG IG §12.2: digest and x-request-id always, the others where they are there; the date as well."""
    optional = {"PSU-ID": "anna", "PSU-Corporate-ID": "c", "TPP-Redirect-URI": "https://tpp.example/", "Accept": "*/*"}
    plain = json_request("POST", f"{EDGE}/v1/consents", {"a": "\N{LATIN SMALL LETTER U WITH DIAERESIS}"}, {"X-Request-ID": "1"})
    rich = HttpRequest(method="GET", url=f"{EDGE}/v1/accounts", headers={"X-Request-ID": "1"} | optional)

    assert require_verified(seal.signed(plain, now=NOW)) == ("digest", "x-request-id", "date")
    covered = require_verified(seal.signed(rich, now=NOW))
    assert covered == ("digest", "x-request-id", "psu-id", "psu-corporate-id", "tpp-redirect-uri", "date")
    assert seal.signed(plain, now=NOW).headers["Date"] == "Sun, 22 Nov 2026 17:00:00 GMT"


def test_a_signing_transport_signs_resources_and_nothing_else(seal: Seal) -> None:
    """A token request has no business with a seal."""
    wire = ScriptedTransport(answer(200), answer(200))
    transport = SigningTransport(transport=wire, seal=seal, clock=FixedClock(NOW))
    transport.send(HttpRequest(method="GET", url=f"{EDGE}/v1/accounts?x=/token", headers={"X-Request-ID": "1"}))
    transport.send(form_request(f"{EDGE}/token", {"grant_type": "authorization_code"}))

    resource, token = wire.requests
    require_verified(resource)
    assert not {"Signature", "Digest", "TPP-Signature-Certificate"} & set(token.headers)


def test_the_key_stays_out_of_the_seals_repr(seal: Seal) -> None:
    """It would end up in a log."""
    assert "key=" not in repr(seal)


def test_without_a_seal_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    """A missing file, a key of another kind, rubbish."""
    with pytest.raises(IdentityUnusable, match="sandbox cert issue"):
        load_seal(Credential(certificate=tmp_path / "qseal.crt", key=tmp_path / "qseal.key"))
    with pytest.raises(IdentityUnusable, match="neither an RSA nor an ECDSA key"):
        load_seal(written(AUTHORITY.qseal(subject_key=ed25519.Ed25519PrivateKey.generate()), tmp_path))
    (tmp_path / "qseal.key").write_text("rubbish")
    with pytest.raises(IdentityUnusable, match="can't be used to sign"):
        load_seal(Credential(certificate=tmp_path / "qseal.crt", key=tmp_path / "qseal.key"))
