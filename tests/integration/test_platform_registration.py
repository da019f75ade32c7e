"""Registration and certificates on a running platform, over the wire, as a TPP and an operator see them."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.patience import IN_FORCE_SECONDS
from tests.support.ports import wait_until
from tests.support.register import signing_request

if TYPE_CHECKING:
    from tests.support.platform import RunningPlatform

_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """Return a TPP's name that no other test uses."""
    return f"reg{next(_numbers)}"


def number_of(name: str) -> str:
    return f"PSDDE-BAFIN-9{name.removeprefix('reg').zfill(5)}"


def get(platform: RunningPlatform, path: str, folder: Path | None, *, stem: str = "qwac") -> requests.Response:
    """Call the edge with the certificate of this folder, on a connection of its own."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(platform.home.trust_bundle)
        if folder is not None:
            session.cert = (str(folder / f"{stem}.crt"), str(folder / f"{stem}.key"))
        return session.get(f"{platform.edge_url}{path}", timeout=60)


def code_of(response: requests.Response) -> str:
    messages = response.json().get("tppMessages", [{}])
    return str(messages[0].get("code"))


def portal(platform: RunningPlatform, method: str, path: str, *, token: str = "", **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(platform.home.trust_bundle)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return session.request(method, f"{platform.portal_url}{path}", headers=headers, timeout=30, **options)


def application(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "organisation": f"Firm {name}",
        "authorisation_number": number_of(name),
        "roles": ["AISP", "PISP"],
        "redirect_uris": ["https://localhost:8446/callback"],
        "profile": "berlin",
        **changes,
    }


def test_a_tpp_registered_by_command_can_call(platform: RunningPlatform, name: str) -> None:
    """Its certificate opens its own tenant, and client.json tells where."""
    client = platform.register(name, number_of(name))

    answer = get(platform, "/sandbox/v1/data", platform.home.tpp(name))

    assert answer.status_code == 200, answer.text
    assert answer.json()["tenant"] == number_of(name)
    assert client["endpoints"]["edge"] == platform.edge_url
    assert (platform.home.tpp(name) / client["cafile"]).resolve() == platform.home.trust_bundle


def test_registering_again_changes_nothing(platform: RunningPlatform, name: str) -> None:
    """The second run keeps certificates and access token, and mends what was lost."""
    first = platform.register(name, number_of(name))
    folder = platform.home.tpp(name)
    qwac, qseal = (folder / "qwac.crt").read_bytes(), (folder / "qseal.crt").read_bytes()
    (folder / "qseal.key").unlink()

    second = platform.register(name, number_of(name))

    assert second == first
    assert (folder / "qwac.crt").read_bytes() == qwac
    assert (folder / "qseal.crt").read_bytes() != qseal
    assert (folder / "qseal.key").exists()


def test_a_tpp_registered_over_the_wire_can_call(platform: RunningPlatform, name: str, tmp_path: Path) -> None:
    """With keys made by the server, shown in the answer."""
    answer = portal(platform, "POST", "/api/tpps", json=application(name))

    assert answer.status_code == 201, answer.text
    qwac = answer.json()["certificates"]["qwac"]
    (tmp_path / "qwac.crt").write_text(qwac["certificate"])
    (tmp_path / "qwac.key").write_text(qwac["private_key"])
    assert get(platform, "/sandbox/v1/data", tmp_path).status_code == 200
    assert not platform.home.tpp(name).exists()


def test_a_tpp_keeps_its_keys(platform: RunningPlatform, name: str, tmp_path: Path) -> None:
    """With signing requests the private keys never leave their owner."""
    key = ec.generate_private_key(ec.SECP256R1())
    csr = signing_request(key).decode()

    answer = portal(platform, "POST", "/api/tpps", json=application(name, csr={"qwac": csr}))

    assert answer.status_code == 201, answer.text
    qwac = answer.json()["certificates"]["qwac"]
    assert "private_key" not in qwac
    (tmp_path / "qwac.crt").write_text(qwac["certificate"])
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "qwac.key").write_bytes(pem)
    assert get(platform, "/sandbox/v1/data", tmp_path).status_code == 200


def test_a_tpp_manages_its_registration_over_the_wire(platform: RunningPlatform, name: str, tmp_path: Path) -> None:
    """One more certificate, the first one revoked, and goodbye."""
    registered = portal(platform, "POST", "/api/tpps", json=application(name)).json()
    token, path = registered["registration_access_token"], f"/api/tpps/{number_of(name)}"
    issued = portal(platform, "POST", f"{path}/certificates", token=token, json={"kind": "qwac"}).json()
    (tmp_path / "qwac.crt").write_text(issued["certificate"])
    (tmp_path / "qwac.key").write_text(issued["private_key"])

    serial = registered["certificates"]["qwac"]["serial"]
    revoked = portal(platform, "POST", f"{path}/certificates/{serial}/revoke", token=token, json={"reason": "superseded"})

    assert (revoked.status_code, revoked.json()["delivered"]) == (200, True)
    assert get(platform, "/sandbox/v1/data", tmp_path).status_code == 200
    assert portal(platform, "DELETE", path, token=token).status_code == 204
    wait_until(
        lambda: get(platform, "/sandbox/v1/data", tmp_path).status_code == 401, seconds=IN_FORCE_SECONDS, what="a closed door"
    )


def test_a_blocked_tpp_is_kept_out_and_let_in_again(platform: RunningPlatform, name: str) -> None:
    """Both within a second or so."""
    platform.register(name, number_of(name))
    folder = platform.home.tpp(name)

    platform.sandbox("tpp", "block", name)
    wait_until(lambda: get(platform, "/sandbox/v1/data", folder).status_code == 401, seconds=IN_FORCE_SECONDS, what="a refusal")

    platform.sandbox("tpp", "unblock", name)
    wait_until(lambda: get(platform, "/sandbox/v1/data", folder).status_code == 200, seconds=IN_FORCE_SECONDS, what="admission")


def test_after_a_renewal_both_certificates_open(platform: RunningPlatform, name: str) -> None:
    """A TPP can change over without a gap; the old pair lies aside."""
    platform.register(name, number_of(name))
    folder = platform.home.tpp(name)

    platform.sandbox("cert", "renew", name)

    assert get(platform, "/sandbox/v1/data", folder).status_code == 200
    assert get(platform, "/sandbox/v1/data", folder, stem="qwac.previous").status_code == 200
    assert (folder / "qwac.crt").read_bytes() != (folder / "qwac.previous.crt").read_bytes()


def test_a_revoked_certificate_is_refused_and_published(platform: RunningPlatform, name: str) -> None:
    """At the gateway by its reason, in the list on plain HTTP by its serial number."""
    platform.register(name, number_of(name))
    folder = platform.home.tpp(name)

    done = json.loads(platform.sandbox("cert", "revoke", name, "--reason", "keyCompromise", "--json").stdout)

    assert done["delivered"] is True
    wait_until(
        lambda: code_of(get(platform, "/v1/accounts", folder)) == "CERTIFICATE_REVOKED",
        seconds=IN_FORCE_SECONDS,
        what="a refusal",
    )
    with requests.Session() as session:
        session.trust_env = False
        crl = x509.load_der_x509_crl(session.get(f"{platform.welcome_url}/pki/crl/tpp-issuing.crl", timeout=60).content)
    entry = crl.get_revoked_certificate_by_serial_number(int(done["serial"], 16))
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise


def test_a_revocation_arrives_although_the_gateway_could_not_be_told(platform: RunningPlatform, name: str) -> None:
    """The command can't reach the gateway and says so; the portal delivers."""
    platform.register(name, number_of(name))
    folder = platform.home.tpp(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_ADMIN_ADDRESS", "localhost:1")
        done = platform.sandbox("cert", "revoke", name, "--json")

    assert json.loads(done.stdout)["delivered"] is False
    assert "The portal delivers it" in done.stderr
    wait_until(
        lambda: code_of(get(platform, "/v1/accounts", folder)) == "CERTIFICATE_REVOKED",
        seconds=IN_FORCE_SECONDS,
        what="a refusal",
    )


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("expired", "CERTIFICATE_EXPIRED"),
        ("not-yet-valid", "CERTIFICATE_INVALID"),
        ("revoked", "CERTIFICATE_REVOKED"),
        ("unknown-issuer", "CERTIFICATE_INVALID"),
        ("qseal-as-qwac", "CERTIFICATE_INVALID"),
    ],
)
def test_faulty_certificates_are_refused_for_their_fault(platform: RunningPlatform, name: str, fault: str, code: str) -> None:
    """Issued on demand, beside the good ones, so that a developer can test every refusal."""
    platform.register(name, number_of(name))

    issued = json.loads(platform.sandbox("cert", "issue", name, "--fault", fault, "--json").stdout)

    faults = platform.home.tpp(name) / "faults"
    assert issued["file"] == str(faults / f"{fault}.crt")
    assert "private_key" not in issued
    wait_until(
        lambda: code_of(get(platform, "/v1/accounts", faults, stem=fault)) == code, seconds=IN_FORCE_SECONDS, what="the refusal"
    )
    assert get(platform, "/sandbox/v1/data", platform.home.tpp(name)).status_code == 200


def test_openssl_asks_the_responder(platform: RunningPlatform, name: str) -> None:
    """A client that is not ours checks our OCSP answers: good, then revoked."""
    platform.register(name, number_of(name))
    folder = platform.home.tpp(name)

    def status() -> str:
        with tempfile.TemporaryDirectory() as scratch:
            leaf, issuer = split(folder / "qwac.crt", Path(scratch))
            subject = ["-issuer", issuer, "-cert", leaf, "-CAfile", platform.home.trust_bundle]
            responder = ["-url", f"{platform.welcome_url}/pki/ocsp/tpp-issuing", "-no_nonce"]
            command = ["openssl", "ocsp", *subject, *responder]
            done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        assert "Response verify OK" in done.stderr
        return done.stdout.splitlines()[0].rpartition(": ")[2]

    assert status() == "good"
    platform.sandbox("cert", "revoke", name)
    assert status() == "revoked"


def split(bundle: Path, scratch: Path) -> tuple[Path, Path]:
    leaf, issuer = x509.load_pem_x509_certificates(bundle.read_bytes())[:2]
    files = scratch / "leaf.pem", scratch / "issuer.pem"
    for file, certificate in zip(files, (leaf, issuer), strict=True):
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return files


def test_pages_come_through_the_edge(platform: RunningPlatform) -> None:
    """Welcome over HTTP with the bundle to trust, the portal over HTTPS, and registration on the latter only."""
    with requests.Session() as session:
        session.trust_env = False
        welcome = session.get(platform.welcome_url, timeout=60)
        bundle = session.get(f"{platform.welcome_url}/trust.pem", timeout=60)
        plain = session.post(f"{platform.welcome_url}/api/tpps", json=application("plain"), timeout=60)

    assert "An open bank" in welcome.text
    assert bundle.content == platform.home.trust_bundle.read_bytes()
    assert plain.status_code == 404
    assert "Developer portal" in portal(platform, "GET", "/").text


def test_lists(platform: RunningPlatform, name: str) -> None:
    """What programs read about TPPs and certificates."""
    platform.register(name, number_of(name))

    tpps = json.loads(platform.sandbox("tpp", "list", "--json").stdout)
    certificates = json.loads(platform.sandbox("cert", "list", name, "--json").stdout)

    assert name in {tpp["name"] for tpp in tpps}
    assert {certificate["profile"] for certificate in certificates} == {"qwac", "qseal"}
    assert platform.sandbox("tpp", "list").stdout.count(name)
    assert platform.sandbox("cert", "list").returncode == 0


def test_renewals_are_listed_with_their_moment(platform: RunningPlatform) -> None:
    """The first to be renewed first, each by its rule."""
    listed = json.loads(platform.sandbox("cert", "renewals", "--json").stdout)
    (edge,) = [each for each in listed if each["certificate"] == "certs/servers/edge.crt"]

    moments = [each["renewed_at"] for each in listed]
    assert moments == sorted(moments)
    assert (edge["profile"], edge["before_days"], edge["every_days"]) == ("server", 30, None)
    assert edge["renewed_at"] < edge["not_after"]
    assert "30 days before" in " ".join(platform.sandbox("cert", "renewals").stdout.split())


def test_what_does_not_exist_is_told_in_a_sentence(platform: RunningPlatform) -> None:
    """Status 1 and no traceback."""
    for arguments in (("tpp", "block", "nobody"), ("cert", "renew", "nobody"), ("cert", "revoke", "--serial", "00ff")):
        done = platform.sandbox(*arguments, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("sandbox: ")
        assert done.stderr.count("\n") == 1
