"""The doctor on the portal: what it is shown it explains, of others it tells nothing."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.portal_certificates import CertificatePortal
from tests.support.register import NOW, NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

KEY = ec.generate_private_key(ec.SECP256R1())
SCRIPT = "<script>alert('x')</script>"
CSR = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def portal(tmp_path: Path) -> CertificatePortal:
    return CertificatePortal(tmp_path)


def text_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def test_the_doctor_explains_what_is_pasted_or_uploaded(portal: CertificatePortal) -> None:
    pem = portal.get(portal.path(portal.issued()) + ".pem").data

    pasted = portal.post("/doctor", {"text": pem.decode()})
    uploaded = portal.post("/doctor", {"file": (io.BytesIO(pem), "c.pem"), "text": ""}, content_type="multipart/form-data")

    assert "The gateway accepts it as a QWAC" in text_of(pasted)
    assert "The gateway accepts it as a QWAC" in text_of(uploaded)


@pytest.mark.parametrize(
    "sent", [b"", b"rubbish", b"\x00" * 64, CSR, PRIVATE, b"-----BEGIN CERTIFICATE-----\n" * 900, SCRIPT.encode()]
)
def test_the_doctor_names_what_is_no_certificate(portal: CertificatePortal, sent: bytes) -> None:
    """And shows nothing of a key."""
    answer = portal.post("/doctor", {"text": sent})

    assert answer.status_code == 422
    assert PRIVATE.splitlines()[1].decode() not in text_of(answer)
    assert SCRIPT not in text_of(answer)


def test_the_doctor_tells_nothing_of_other_organisations(portal: CertificatePortal) -> None:
    """A certificate made up for it says the same whether its number is registered here or not."""
    stranger = portal.browser()
    portal.sign_in_as("bob@globex.example", browser=stranger)
    made_up = [self_made(number) for number in (NUMBER, "PSDDE-BAFIN-999999")]

    foreign, unknown = (text_of(portal.post("/doctor", {"text": pem}, browser=stranger)) for pem in made_up)
    mine = text_of(portal.post("/doctor", {"text": made_up[0]}))

    def findings(page: str) -> list[str]:
        return [text.replace("999999", "100001") for text in re.findall(r"<h3>(.*?)</h3>", page)]

    assert findings(foreign) == findings(unknown)
    assert findings(mine) != findings(unknown) or "tpp.unknown" not in mine


def self_made(number: str) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, number)])
    start = NOW - timedelta(days=30)
    builder = x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=KEY.public_key(), serial_number=5)
    life = builder.not_valid_before(start).not_valid_after(start + timedelta(days=400))
    return life.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
