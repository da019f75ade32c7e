"""From sign-up to a certificate that opens the gateway, in a real Chromium on a whole platform, by each of the three ways."""

from __future__ import annotations

import re
import subprocess
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from playwright.sync_api import Error, expect

from tests.support.commands import run_command
from tests.support.developer import Developer, with_tpp
from tests.support.pages import LOOKS, assert_accessible, assert_fits, watched_context
from tests.support.ports import wait_until
from tpp_client.signing_keys import load_signing_key

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Request

    from tests.support.platform import RunningPlatform

IN_FORCE_SECONDS = 30


@dataclass(frozen=True)
class Account:
    """Who was signed up and has registered a TPP: the browser's cookies, the TPP's name and number."""

    cookies: list[Any]
    name: str
    number: str


@pytest.fixture(scope="module")
def account(chromium: Browser, platform: RunningPlatform) -> Account:
    """Sign up and register a TPP by the pages, once for all."""
    with watched_context(chromium) as context:
        developer = with_tpp(context, platform)
        return Account(context.cookies(), developer.name, developer.number)


def entered(context: BrowserContext, platform: RunningPlatform, account: Account) -> Developer:
    """Sign in in this window, by the cookies."""
    context.add_cookies(account.cookies)
    return Developer(platform, context.new_page(), account.name, account.number)


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_signing_request_of_ones_own(
    chromium: Browser, platform: RunningPlatform, account: Account, tmp_path: Path, *, scripts: bool
) -> None:
    """The command on the page is run as it stands there, its request uploaded, and the key never leaves this machine."""
    with watched_context(chromium, java_script_enabled=scripts) as context:
        developer = entered(context, platform, account)
        developer.open("certificates", "new?kind=qwac")
        command = developer.page.locator("pre", has_text="openssl req").inner_text()
        subprocess.run(command, check=True, shell=True, cwd=tmp_path, capture_output=True, timeout=120)  # noqa: S602 - it is to be pasted
        developer.page.get_by_label("Signing request, as a file").set_input_files(tmp_path / "qwac.csr")
        developer.button("Get the QWAC")

        expect(developer.page.get_by_role("status").first).to_contain_text("Issued.")
        assert developer.page.get_by_role("status").count() == 1, "the request says what the register says: no notes"
        certificate = developer.saved(tmp_path, "Certificate and chain (PEM)")

    status, body = developer.call(certificate, tmp_path / "qwac.key")
    assert (status, developer.number in body) == (200, True)


def test_a_key_made_in_the_browser_never_leaves_it(
    chromium: Browser, platform: RunningPlatform, account: Account, tmp_path: Path
) -> None:
    """Every request of the page is looked through for it, and so is what the browser keeps."""
    with watched_context(chromium) as context:
        developer = entered(context, platform, account)
        developer.open("certificates", "new?kind=qwac")
        sent: list[Request] = []
        context.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - playwright takes no built-in
        developer.button("Make the key and get the QWAC")
        expect(developer.page.get_by_text("The QWAC is issued")).to_be_visible()
        assert_accessible(developer.page)
        key, certificate = developer.saved(tmp_path, "Save qwac.key"), developer.saved(tmp_path, "Save qwac.crt")
        passphrase = developer.page.get_by_label(re.compile("PKCS #12")).input_value()
        store = developer.saved(tmp_path, re.compile(r"\.p12$"), role="button")
        kept = developer.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")

    bodies = (
        [request.post_data_buffer or b"" for request in sent] + [request.url.encode() for request in sent] + [kept.encode()]
    )
    assert any(b"CERTIFICATE REQUEST" in body for body in bodies), "the signing request is what is sent"
    secret = load_pem_private_key(key.read_bytes(), password=None).private_numbers().private_value  # type: ignore[union-attr]
    traces = [secret.to_bytes(32, "big"), *key.read_bytes().splitlines()[1:-1], passphrase.encode(), b"PRIVATE KEY"]
    assert [trace for trace in traces for body in bodies if trace in body] == []
    assert developer.call(certificate, key)[0] == 200
    assert developer.call(*unpacked_store(store, passphrase, tmp_path))[0] == 200


def test_a_key_with_which_a_client_signs_is_made_in_the_browser(
    chromium: Browser, platform: RunningPlatform, account: Account, tmp_path: Path
) -> None:
    """Its public half is registered with the client; the private one is in the file that was saved, and nowhere else."""
    with watched_context(chromium) as context:
        developer = entered(context, platform, account)
        developer.open("client")
        sent: list[Request] = []
        context.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - playwright takes no built-in
        developer.button("Make a key in this browser")
        expect(developer.page.get_by_text("The key is made.")).to_be_visible()
        key = developer.saved(tmp_path, "Save client.key")
        assert_accessible(developer.page)
        developer.button("Save")
        expect(developer.page.get_by_role("status").first).to_contain_text("Changed.")
        assert_fits(developer.page)
        private = load_signing_key(key)
        expect(developer.page.get_by_role("cell", name=private.kid)).to_be_visible()

    bodies = b"".join(request.post_data_buffer or b"" for request in sent)
    assert private.public["x"].encode() in bodies
    assert str(private.key.as_dict(private=True)["d"]).encode() not in bodies


def test_an_rsa_key_made_in_the_browser(chromium: Browser, platform: RunningPlatform, account: Account, tmp_path: Path) -> None:
    """For a seal, and opened by OpenSSL."""
    with watched_context(chromium) as context:
        developer = entered(context, platform, account)
        developer.open("certificates", "new?kind=qseal")
        developer.page.get_by_label("Kind of key").select_option("rsa-3072")
        developer.button("Make the key and get the QSealC")
        expect(developer.page.get_by_text("The QSealC is issued")).to_be_visible()
        passphrase = developer.page.get_by_label(re.compile("PKCS #12")).input_value()
        store = developer.saved(tmp_path, re.compile(r"\.p12$"), role="button")

    certificate, key = unpacked_store(store, passphrase, tmp_path)
    assert load_pem_private_key(key.read_bytes(), password=None).key_size == 3072  # type: ignore[union-attr]
    assert certificate.read_bytes().count(b"BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_key_made_by_the_server_is_shown_once(
    chromium: Browser, platform: RunningPlatform, account: Account, tmp_path: Path, *, scripts: bool
) -> None:
    """Its files work as they come; going back and reloading show it no more, and make no other."""
    with watched_context(chromium, java_script_enabled=scripts) as context:
        developer = entered(context, platform, account)
        developer.open("certificates", "new?kind=qwac")
        developer.button("Make key and QWAC")
        files = {suffix: developer.saved(tmp_path, re.compile(rf"\.{suffix}$")) for suffix in ("zip", "crt", "key", "p12")}
        passphrase = developer.page.locator("#passphrase").inner_text()
        if scripts:
            assert_accessible(developer.page)

        developer.page.get_by_role("link", name="I have saved it").click()
        developer.page.wait_for_url(re.compile("/certificates$"))
        with pytest.raises(Error, match="ERR_CACHE_MISS"):
            developer.page.go_back()  # nothing was kept of the page: the browser would have to send the form again

    assert developer.call(files["crt"], files["key"])[0] == 200
    assert developer.call(*unpacked_store(files["p12"], passphrase, tmp_path))[0] == 200
    assert_kit_works(developer, files["zip"], tmp_path / "unpacked")


def test_a_page_sent_again_makes_no_other_key(chromium: Browser, platform: RunningPlatform, account: Account) -> None:
    """Reloading it sends the form again: the answer is the certificate that there is, without its key."""
    with watched_context(chromium, java_script_enabled=False) as context:
        developer = entered(context, platform, account)
        developer.open("certificates", "new?kind=qwac")
        developer.button("Make key and QWAC")
        serial = developer.page.locator("dd a.mono").inner_text()
        developer.page.reload()

        developer.page.wait_for_url(re.compile(f"/certificates/{serial}$"))
        expect(developer.page.get_by_text("This form was sent before")).to_be_visible()
        assert "PRIVATE KEY" not in developer.page.content()


def assert_kit_works(developer: Developer, kit: Path, folder: Path) -> None:
    """Unpack as the page says, and walk the journey that it names."""
    subprocess.run(["unzip", "-q", kit, "-d", folder], check=True, timeout=120)
    tpp = folder / "certs" / "tpps" / developer.name
    assert (tpp / "qwac.key").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tpp.iterdir()) == ["client.json", "qwac.crt", "qwac.key"]
    run_command("tpp_client.cli", "journey", "ais", "--tpp", developer.name, "--home", str(folder))


def unpacked_store(store: Path, passphrase: str, folder: Path) -> tuple[Path, Path]:
    """Open a PKCS #12 file with OpenSSL, which checks its MAC, into certificates and key."""
    certificates, key = folder / "store.crt", folder / "store.key"
    opened = ("openssl", "pkcs12", "-in", str(store), "-passin", f"pass:{passphrase}")
    subprocess.run([*opened, "-nokeys", "-out", certificates], check=True, capture_output=True, timeout=120)
    subprocess.run([*opened, "-nocerts", "-nodes", "-out", key], check=True, capture_output=True, timeout=120)
    return certificates, key


def test_renewed_with_overlap_then_the_old_one_revoked(
    chromium: Browser, platform: RunningPlatform, account: Account, tmp_path: Path
) -> None:
    """Both work until the old one is revoked; then the very same call is refused, and the page says why."""
    with watched_context(chromium) as context:
        developer = entered(context, platform, account)
        pairs = []
        for path, folder in (("new?kind=qwac", "old"), (None, "new")):
            if path:
                developer.open("certificates", path)
            else:
                developer.open("certificates")
                developer.page.get_by_role("link", name=re.compile("^QWAC")).first.click()
                developer.page.get_by_role("link", name="Renew…").click()
                expect(developer.page.get_by_text("stays valid while you change over")).to_be_visible()
            developer.button("Make key and QWAC")
            files = tmp_path / folder
            pairs.append(tuple(developer.saved(files, re.compile(rf"\.{suffix}$")) for suffix in ("crt", "key")))
        assert [developer.call(*pair)[0] for pair in pairs] == [200, 200]

        developer.open("certificates")
        replaced = developer.page.get_by_role("row").nth(2)  # newest first, below the head and its successor
        expect(replaced).to_contain_text("renewed")
        replaced.get_by_role("link", name=re.compile("^QWAC")).click()
        developer.page.get_by_role("link", name="Revoke…").click()
        assert_accessible(developer.page)
        developer.page.get_by_role("radio", name=re.compile("^superseded")).check()
        developer.button("Revoke it for good")
        expect(developer.page.get_by_role("status").first).to_contain_text("The gateway has taken the revocation list")
        expect(developer.page.get_by_text("401 CERTIFICATE_REVOKED (mtls.revoked)").first).to_be_visible()

    wait_until(lambda: developer.call(*pairs[0])[0] == 401, seconds=IN_FORCE_SECONDS, what="the revocation is in force")
    assert '"reason":"mtls.revoked"' in developer.call(*pairs[0])[1].replace('": "', '":"')
    assert developer.call(*pairs[1])[0] == 200


def test_a_faulty_certificate_is_refused_as_foretold(
    chromium: Browser, platform: RunningPlatform, account: Account, tmp_path: Path
) -> None:
    """Made, labelled, presented."""
    with watched_context(chromium) as context:
        developer = entered(context, platform, account)
        developer.open("certificates", "faulty")
        developer.page.get_by_role("radio", name=re.compile("^expired")).check()
        developer.button("Make it")
        expect(developer.page.get_by_text("Faulty on purpose: expired")).to_be_visible()
        pair = [developer.saved(tmp_path, re.compile(rf"\.{suffix}$")) for suffix in ("crt", "key")]
        kit = developer.saved(tmp_path, re.compile(r"\.zip$"))

    status, body = developer.call(pair[0], pair[1])
    assert (status, "mtls.expired" in body) == (401, True)
    assert f"certs/tpps/{developer.name}/faults/expired.key" in zipfile.ZipFile(kit).namelist()


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS, ids=["dark phone", "light desktop"])
def test_every_page_is_accessible_and_fits(
    chromium: Browser, platform: RunningPlatform, account: Account, viewport: Any, scheme: Any
) -> None:
    """Empty, full, and with faults; on a phone and on a desk."""
    with watched_context(chromium, viewport=viewport, color_scheme=scheme) as context:
        developer = entered(context, platform, account)
        serials = []
        for kind in ("qwac", "qseal"):
            developer.open("certificates", f"new?kind={kind}")
            developer.button(re.compile("^Make key and"))
            serials.append(developer.page.locator("a.mono").first.inner_text())
        developer.page.on("dialog", lambda dialog: dialog.accept())
        paths = ["", "change", "leave", "certificates", "certificates/faulty", "certificates/new?kind=qseal"]
        paths += [f"certificates/{serials[0]}", f"certificates/{serials[0]}/renew", f"certificates/{serials[1]}"]
        for path in paths:
            developer.open(*([path] if path else []))
            assert_accessible(developer.page)
        for path in ("/tpps/new", "/tpps/claim", "/doctor"):
            developer.page.goto(platform.portal_url + path)
            assert_accessible(developer.page)
            developer.page.locator("main form button").last.click()
            expect(developer.page.get_by_role("alert").first).to_be_visible()
            assert_accessible(developer.page)


def test_the_number_is_built_as_one_types(chromium: Browser, platform: RunningPlatform, account: Account) -> None:
    """The authority follows the country, the short name the long one."""
    with watched_context(chromium) as context:
        page = entered(context, platform, account).page
        page.goto(f"{platform.portal_url}/tpps/new")
        page.get_by_label("Name of the firm").fill("Æther Zahlungen & Co. KG")
        page.get_by_label("Home country").select_option("NO")
        page.get_by_role("textbox", name="Authorisation number").fill("42.A")
        expect(page.locator("#whole-number")).to_have_text("PSDNO-FSA-42.A")
        expect(page.get_by_label("Short name")).to_have_value("ther-zahlungen-co-kg")
        page.get_by_label("Competent authority").select_option("SE-FINA")
        expect(page.get_by_label("Home country")).to_have_value("SE")


def test_without_javascript_the_page_offers_the_other_two_ways(chromium: Browser, platform: RunningPlatform) -> None:
    """From signing up on, all by forms."""
    with watched_context(chromium, java_script_enabled=False) as context:
        developer = with_tpp(context, platform)
        developer.page.get_by_role("link", name="Get a QWAC").click()
        expect(developer.page.get_by_text("This way needs JavaScript")).to_be_visible()
        expect(developer.page.get_by_role("button", name="Make the key and get the QWAC")).to_be_hidden()
        expect(developer.page.get_by_role("button", name="Make key and QWAC")).to_be_visible()
        assert_fits(developer.page)
