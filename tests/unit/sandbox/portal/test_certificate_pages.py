"""Certificates by the portal's pages: three ways, every fault of a signing request, limits, nobody else's, shown once."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key, pkcs12
from cryptography.x509.oid import NameOID

from sandbox.ca.model import CertificateStatus, Fault, RevocationReason, TppCertificateKind
from sandbox.ca.quota import IssuingLimits
from tests.support.portal_certificates import CertificatePortal
from tests.support.register import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

KEY = ec.generate_private_key(ec.SECP256R1())
SCRIPT = "<script>alert('x')</script>"


@pytest.fixture
def portal(tmp_path: Path) -> CertificatePortal:
    return CertificatePortal(tmp_path)


def request_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, *, organisation: str | None = None) -> bytes:
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    return x509.CertificateSigningRequestBuilder(x509.Name(names)).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


CSR = request_of(KEY)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def text_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def fault_of(answer: TestResponse) -> str:
    (text,) = re.findall(r'class="field-fault" id=".+?">(.*?)</p>', text_of(answer))
    return unescape(text)


def downloads(answer: TestResponse) -> dict[str, bytes]:
    """Return what the page offers, by file name."""
    links = re.findall(r'download="([^"]+)" href="data:[^,]+;base64,([^"]+)"', text_of(answer))
    return {unescape(name): base64.b64decode(unescape(body)) for name, body in links}


# --- from a signing request -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("kind", list(TppCertificateKind))
def test_a_signing_request_leads_to_its_certificate(
    portal: CertificatePortal, encoding: Encoding, kind: TppCertificateKind
) -> None:
    """Uploaded in either form; the certificate is over its key."""
    data = x509.load_pem_x509_csr(CSR).public_bytes(encoding)

    answer = portal.ask("csr", kind=kind, csr_file=(io.BytesIO(data), "q.csr"), csr="")

    assert answer.status_code == 303
    pem = portal.get(answer.headers["Location"] + ".pem").data
    assert x509.load_pem_x509_certificate(pem).public_key() == KEY.public_key()


def test_a_signing_request_may_be_pasted(portal: CertificatePortal) -> None:
    assert portal.ask("csr", csr=CSR.decode()).status_code == 303


def test_a_subject_that_differs_is_answered_with_what_stands_there_instead(portal: CertificatePortal) -> None:
    answer = portal.ask("csr", csr=request_of(KEY, organisation=SCRIPT).decode())

    page = text_of(portal.get(answer.headers["Location"]))
    assert "organisation (O) is &#39;Acme Payments GmbH&#39; in the certificate, not" in page
    assert SCRIPT not in page


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "The file is empty."),
        (b"rubbish", "neither PEM nor DER"),
        (bytes(range(256)) * 8, "neither PEM nor DER"),
        (b"\x00" * 100, "neither PEM nor DER"),
        (b"\x30\x84\xff\xff\xff\xff" + b"\x00" * 50, "neither PEM nor DER"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\n" * 400, "needs its -----END line"),
        (b"-----BEGIN CERTIFICATE REQUEST-----" + b"-" * 16_000, "needs its -----END line"),
        (b"x" * 20_000, "at most 16384"),
        (CSR * 2, "2 signing requests"),
        (request_of(rsa.generate_private_key(65_537, 1_024)), "1024 bits: at least 2048"),  # noqa: S505 - too short on purpose
        (request_of(ec.generate_private_key(ec.SECP256K1())), "secp256k1: use one of"),
    ],
)
def test_a_hostile_or_faulty_upload_is_told_what_it_is(portal: CertificatePortal, sent: bytes, said: str) -> None:
    """With the command that makes a right one, this TPP's data in it; nothing is issued."""
    answer = portal.ask("csr", csr_file=(io.BytesIO(sent), "../../etc/passwd\"'<b>.csr"), csr="")

    assert answer.status_code == 422
    assert said.lower() in fault_of(answer).lower()
    assert "organizationIdentifier=PSDDE-BAFIN-100001/CN=acme.tpp.example" in unescape(text_of(answer))
    assert "passwd" not in text_of(answer)
    assert portal.world.register.certificates(portal.tpp) == []


@pytest.mark.parametrize("way", ["csr", "csr_file"])
def test_a_private_key_is_refused_and_not_sent_back(portal: CertificatePortal, way: str) -> None:
    """Neither in the page, nor anywhere on the disk of the portal."""
    form: dict[str, Any] = {"csr": PRIVATE.decode()} if way == "csr" else {"csr_file": (io.BytesIO(PRIVATE), "key.pem")}
    answer = portal.ask("csr", **form)

    assert answer.status_code == 422
    assert "must never be sent to anybody: nothing of it was kept" in fault_of(answer)
    assert PRIVATE.splitlines()[1].decode() not in text_of(answer)


def test_a_refused_text_is_kept_in_the_form(portal: CertificatePortal) -> None:
    """A file and a text at once are refused too."""
    answer = portal.ask("csr", csr=SCRIPT)
    both = portal.ask("csr", csr=CSR.decode(), csr_file=(io.BytesIO(CSR), "q.csr"))

    assert "&lt;script&gt;" in text_of(answer)
    assert SCRIPT not in text_of(answer)
    assert "send one of the two" in fault_of(both)


def test_an_upload_without_end_is_refused_with_a_page(portal: CertificatePortal) -> None:
    answer = portal.post(
        portal.path("new"),
        {"csr_file": (io.BytesIO(b"x" * 100_000), "big.csr")},
        content_type="multipart/form-data",
        headers={"Accept": "text/html"},
    )

    assert (answer.status_code, answer.mimetype) == (413, "text/html")


# --- from a key of the browser ----------------------------------------------------------------------------------------


def test_a_script_gets_its_certificate_as_json(portal: CertificatePortal) -> None:
    """With the chain, for the store that the browser makes; a fault comes as one sentence."""
    right = portal.ask("browser", csr=CSR.decode())
    wrong = portal.ask("browser", csr="rubbish")

    assert right.get_json()["certificate"].count("BEGIN CERTIFICATE") == 2
    assert right.get_json()["page"] == portal.path(right.get_json()["serial"])
    assert (wrong.status_code, "neither PEM nor DER" in wrong.get_json()["detail"]) == (422, True)


# --- with a key made here ---------------------------------------------------------------------------------------------


def test_a_key_made_here_is_handed_over_on_one_page(portal: CertificatePortal) -> None:
    """Four files that belong together; nobody keeps the page."""
    answer = portal.ask("server")

    files = downloads(answer)
    assert list(files) == ["acme-qwac.zip", "qwac.crt", "qwac.key", "acme-qwac.p12"]
    assert answer.headers["Cache-Control"] == "no-store"
    key = load_pem_private_key(files["qwac.key"], password=None)
    assert key.public_key() == x509.load_pem_x509_certificate(files["qwac.crt"]).public_key()
    passphrase = re.search(r'id="passphrase">([^<]+)<', text_of(answer))
    assert passphrase is not None
    stored = pkcs12.load_pkcs12(files["acme-qwac.p12"], passphrase[1].encode())
    assert stored.key is not None
    assert stored.cert is not None
    assert stored.key.public_key() == key.public_key()
    assert len(stored.additional_certs) == 1
    kit = zipfile.ZipFile(io.BytesIO(files["acme-qwac.zip"]))
    assert kit.read("certs/tpps/acme/qwac.key") == files["qwac.key"]
    assert kit.read("certs/trust.pem") == portal.settings.home.trust_bundle.read_bytes()
    modes = {entry.filename.rsplit("/")[-1]: entry.external_attr >> 16 & 0o777 for entry in kit.infolist()}
    assert modes == {"trust.pem": 0o644, "client.json": 0o600, "qwac.crt": 0o644, "qwac.key": 0o600}


@pytest.mark.parametrize("way", ["server", "csr", "browser"])
def test_a_form_that_comes_twice_is_answered_once(portal: CertificatePortal, way: str) -> None:
    """Reload, back, double click: the same certificate, and no key."""
    form = {"form": portal.mark(portal.path("new")), "way": way, "csr": CSR.decode()}
    portal.post(portal.path("new"), form)

    again = portal.post(portal.path("new"), form)

    (record,) = portal.world.register.certificates(portal.tpp)
    assert b"PRIVATE KEY" not in again.data
    if way == "browser":
        assert again.status_code == 409
    else:
        assert again.headers["Location"] == portal.path(record.serial)


def test_a_form_whose_request_was_refused_may_come_again(portal: CertificatePortal) -> None:
    """It gave nothing away."""
    form = {"form": portal.mark(portal.path("new")), "way": "csr"}
    assert portal.post(portal.path("new"), {**form, "csr": "rubbish"}).status_code == 422

    assert portal.post(portal.path("new"), {**form, "csr": CSR.decode()}).status_code == 303


@pytest.mark.parametrize(
    "form", [{"way": "server"}, {"way": "server", "form": "short"}, {"way": "other", "form": "x" * 24}, {}]
)
def test_an_incomplete_form_issues_nothing(portal: CertificatePortal, form: dict[str, str]) -> None:
    assert portal.post(portal.path("new?kind=qseal"), form).headers["Location"] == portal.path("new?kind=qseal")

    assert portal.world.register.certificates(portal.tpp) == []


# --- limits -----------------------------------------------------------------------------------------------------------


def test_the_limit_is_a_page_that_says_when(tmp_path: Path) -> None:
    """Faulty ones count; the API refuses in the same way."""
    portal = CertificatePortal(tmp_path, limits=IssuingLimits(per_day=2, unexpired=100))
    portal.ask("server")
    portal.ask("server", path=portal.path("faulty"), kind="qwac", fault="expired")

    answer = portal.ask("server")
    token = portal.world.register.ownership.new_access_token(portal.tpp)
    api = portal.call("POST", f"/api/tpps/{NUMBER}/certificates", token=token, json={"kind": "qwac"})

    assert (answer.status_code, api.status_code, api.get_json()["code"]) == (429, 429, "ca.limit")
    assert "one more is issued from 2026-03-02 12:00 UTC" in text_of(answer)
    assert answer.headers["Retry-After"] == api.headers["Retry-After"] == "Mon, 02 Mar 2026 12:00:00 GMT"


# --- looking ----------------------------------------------------------------------------------------------------------


def test_the_list_tells_how_each_stands(portal: CertificatePortal) -> None:
    """Valid, renewed, revoked, faulty, soon and long over."""
    old = portal.issued()
    portal.world.clock.advance(timedelta(seconds=1))
    portal.world.register.renew(portal.tpp, old)
    portal.world.register.issue(portal.tpp, TppCertificateKind.QWAC, fault=Fault.REVOKED)
    portal.world.register.issue(portal.tpp, TppCertificateKind.QSEAL, fault=Fault.NOT_YET_VALID)
    page = text_of(portal.get(portal.path()))
    assert all(word in page for word in (">valid<", ">renewed<", ">revoked<", ">not yet valid<", "365 days left", "AISP, PISP"))

    portal.world.clock.advance(timedelta(days=340))
    portal.sign_in("anna@acme.example")
    assert ">expires soon<" in text_of(portal.get(portal.path()))
    portal.world.clock.advance(timedelta(days=30))
    portal.sign_in("anna@acme.example")
    assert ">expired<" in text_of(portal.get(portal.path()))


def test_one_certificate_is_explained_and_judged(portal: CertificatePortal) -> None:
    serial = portal.issued()
    record = portal.world.register.certificate(portal.tpp, serial)

    page = text_of(portal.get(portal.path(serial)))

    thumbprint = base64.urlsafe_b64encode(bytes.fromhex(record.sha256)).rstrip(b"=").decode()
    assert record.sha256 in page
    assert thumbprint in page
    assert "The gateway accepts it as a QWAC" in page
    assert "organizationIdentifier" in page


@pytest.mark.parametrize(("part", "count"), [("", 2), ("?part=leaf", 1), ("?part=chain", 1)])
def test_certificates_are_downloaded_at_any_time(portal: CertificatePortal, part: str, count: int) -> None:
    serial = portal.issued()

    answer = portal.get(portal.path(serial) + ".pem" + part)

    assert answer.data.count(b"BEGIN CERTIFICATE") == count
    assert re.fullmatch(
        r'attachment; filename="acme-qwac-[0-9a-f]{8}(-leaf|-chain)?\.pem"', answer.headers["Content-Disposition"]
    )


def test_the_kit_at_any_time_holds_no_key(portal: CertificatePortal) -> None:
    serial = portal.issued()

    kit = zipfile.ZipFile(io.BytesIO(portal.get(portal.path(serial) + ".zip").data))

    assert kit.namelist() == ["certs/trust.pem", "certs/tpps/acme/client.json", "certs/tpps/acme/qwac.crt"]


def test_a_faulty_certificate_is_labelled_wherever_it_is_shown(portal: CertificatePortal) -> None:
    answer = portal.ask("server", path=portal.path("faulty"), kind="qwac", fault="unknown-issuer")
    (record,) = portal.world.register.certificates(portal.tpp)

    assert "Faulty on purpose: unknown-issuer" in text_of(answer)
    assert list(downloads(answer))[1:3] == ["unknown-issuer.crt", "unknown-issuer.key"]
    page = text_of(portal.get(portal.path(record.serial)))
    assert "faulty on purpose: unknown-issuer" in page
    assert "mtls.untrusted" in page
    assert "Revoke…" not in page, "its issuer publishes nothing"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"kind": "qwac", "fault": "sha1-signed"}, "Choose one of the faults."),
        ({"kind": "qwac", "fault": SCRIPT}, "Choose one of the faults."),
        ({"kind": "qseal", "fault": "wrong-eku"}, "only for a qwac"),
        ({"kind": "other", "fault": "expired"}, "Choose one of the two."),
    ],
)
def test_a_fault_that_can_not_be_had_is_refused_at_its_field(
    portal: CertificatePortal, form: dict[str, str], said: str
) -> None:
    answer = portal.ask("server", path=portal.path("faulty"), **form)

    assert (answer.status_code, said in fault_of(answer)) == (422, True)


# --- renewing and revoking --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["server", "csr", "browser"])
def test_renewal_leaves_the_old_one_valid(portal: CertificatePortal, way: str) -> None:
    old = portal.issued()
    portal.world.clock.advance(timedelta(seconds=1))
    address = portal.path(old, "renew")
    assert "stays valid while you change over" in text_of(portal.get(address))

    portal.ask(way, path=address, csr=CSR.decode())

    new, before = portal.world.register.certificates(portal.tpp)
    assert (new.replaces, before.serial, before.status) == (old, old, CertificateStatus.VALID)


@pytest.mark.parametrize("is_down", [False, True])
def test_revoking_says_whether_the_gateway_knows(portal: CertificatePortal, *, is_down: bool) -> None:
    serial = portal.issued()
    portal.world.gateway.is_down = is_down

    answer = portal.post(portal.path(serial, "revoke"), {"reason": "keyCompromise"})

    page = text_of(portal.get(answer.headers["Location"]))
    record = portal.world.register.certificate(portal.tpp, serial)
    assert (record.status, record.reason) == (CertificateStatus.REVOKED, RevocationReason.KEY_COMPROMISE)
    assert ("could not be reached" in page, "has not taken the revocation list yet" in page) == (is_down, is_down)


def test_revoking_asks_first_and_happens_once(portal: CertificatePortal) -> None:
    serial = portal.issued()
    assert "no way back" in text_of(portal.get(portal.path(serial, "revoke")))
    assert portal.post(portal.path(serial, "revoke"), {"reason": "cACompromise"}).status_code == 422
    assert portal.world.register.certificate(portal.tpp, serial).status is CertificateStatus.VALID

    assert portal.post(portal.path(serial, "revoke"), {"reason": "superseded"}).status_code == 303
    assert portal.post(portal.path(serial, "revoke"), {"reason": "keyCompromise"}).status_code == 303

    assert portal.world.register.certificate(portal.tpp, serial).reason is RevocationReason.SUPERSEDED
    assert portal.get(portal.path(serial, "revoke")).status_code == 303
