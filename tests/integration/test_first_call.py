"""First calls as the portal's page shows them: pasted into a real bash, run by Python, against a real platform, to the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import requests

from features.psu_pages import PsuBrowser

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.platform import RunningPlatform

NAME, NUMBER = "first-call", "PSDDE-BAFIN-FIRST.CALL"
# What a registration takes, at its worst: quotes, command substitution, separators.
NASTY = "https://tpp.example/';touch$IFS'pwned;'?a=$(touch$IFS$9pwned)&b=!!"
LONGEST_SECONDS = 60


class Samples(HTMLParser):
    """Reads the blocks to copy, each with the step it belongs to."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: dict[str, str] = {}
        self._step = ""
        self._is_sample = self._is_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "li" and given.get("id"):
            self._step = given["id"] or ""
        self._is_sample = self._is_sample or "data-copy" in given
        self._is_code = tag == "code" and self._is_sample and self._step != ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self._is_code = self._is_sample = False
        if tag == "li":
            self._step = ""

    def handle_data(self, data: str) -> None:
        if self._is_code:
            self.blocks[self._step] = self.blocks.get(self._step, "") + data


class Developer:
    """A developer's browser, without the window."""

    def __init__(self, platform: RunningPlatform) -> None:
        self._url = platform.portal_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(platform.home.trust_bundle)

    def page(self, path: str) -> str:
        answer = self._session.get(f"{self._url}{path}", headers={"Accept": "text/html"}, timeout=LONGEST_SECONDS)
        assert answer.status_code == 200, f"{path}: {answer.status_code}\n{answer.text}"
        return answer.text

    def send(self, path: str, **form: str) -> None:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page(path))
        assert token is not None
        answer = self._session.post(
            f"{self._url}{path}",
            data={"csrf_token": token[1], **form},
            headers={"Referer": f"{self._url}{path}"},
            allow_redirects=False,
            timeout=LONGEST_SECONDS,
        )
        assert answer.status_code == 303, answer.text

    def sign_up_and_in(self, email: str) -> None:
        password = "correct horse battery"
        self.send("/sign-up", name="Anna", organisation="Acme GmbH", email=email, password=password)
        self.send("/sign-in", email=email, password=password)

    def blocks(self, query: str = "") -> dict[str, str]:
        """Return the commands of the page, by their steps, in the page's order."""
        samples = Samples()
        samples.feed(self.page(f"/tpps/{NUMBER}/first-call{query}"))
        return samples.blocks


@dataclass(frozen=True)
class Desk:
    """A developer with a registered TPP, whose files lie in `folder`."""

    platform: RunningPlatform
    developer: Developer
    folder: Path

    def pasted(self, blocks: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        """Paste blocks into one bash in a folder that holds certificate and key."""
        for name in ("qwac.crt", "qwac.key"):
            shutil.copy(self.folder / name, folder)
        return self._run(["bash"], folder, "\n".join(blocks))

    def program(self, folder: Path, *arguments: str, query: str = "") -> subprocess.CompletedProcess[str]:
        """Download the program and run it beside the three files."""
        for name in ("qwac.crt", "qwac.key"):
            shutil.copy(self.folder / name, folder)
        shutil.copy(self.platform.home.trust_bundle, folder)
        (folder / "first_call.py").write_text(self.developer.page(f"/tpps/{NUMBER}/first_call.py{query}"))
        return self._run([sys.executable, "first_call.py", *arguments], folder)

    def _run(self, command: list[str], folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        return subprocess.run(
            command,
            input=text,
            cwd=folder,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
        )


@pytest.fixture(scope="module")
def desk(platform: RunningPlatform) -> Desk:
    """Register a TPP by the command, and let a developer's organisation take it over."""
    identity = ("--authorisation-number", NUMBER, "--roles", "AISP,PISP,CBPII", "--profile", "berlin")
    uris = ("--redirect-uri", "https://tpp.example/callback", "--redirect-uri", NASTY)
    platform.sandbox("tpp", "register", NAME, *identity, *uris)
    folder = platform.home.tpp(NAME)
    token = json.loads((folder / "client.json").read_bytes())["registration_access_token"]
    developer = Developer(platform)
    developer.sign_up_and_in(f"anna@{NAME}.example")
    developer.send("/tpps/claim", number=NUMBER, token=token)
    return Desk(platform, developer, folder)


def in_order(blocks: dict[str, str]) -> list[str]:
    """Return the blocks without those that wait for somebody's browser."""
    return [block for step, block in blocks.items() if not step.endswith("-browser")]


def test_every_block_pasted_in_the_pages_order_works(desk: Desk, tmp_path: Path) -> None:
    """From three files to accounts read, a payment settled and funds confirmed."""
    done = desk.pasted(in_order(desk.developer.blocks()), tmp_path)

    assert done.returncode == 0, done.stderr
    assert "HTTP 4" not in done.stdout
    assert '"balanceType":"interimAvailable"' in done.stdout
    assert '"transactions":{"booked":[{' in done.stdout
    assert '{"transactionStatus":"ACCC"}\nHTTP 200' in done.stdout
    assert '{"fundsAvailable":true}\nHTTP 200' in done.stdout


def test_the_payment_moves_the_balance_that_the_portal_shows(desk: Desk, tmp_path: Path) -> None:
    """The same books behind the interface and the page."""
    before = _booked(desk)

    blocks = desk.developer.blocks()
    paid = [blocks[step] for step in ("files", "payment", "pis-authorization", "pis-headless", "payment-status")]
    assert desk.pasted(paid, tmp_path).returncode == 0

    assert round(before - _booked(desk), 2) == 12.00


def _booked(desk: Desk) -> float:
    page = desk.developer.page(f"/tpps/{NUMBER}/data").replace("\u202f", " ")
    found = re.search(r'id="anna.weber".*?data-label="Booked"[^>]*>([\d .]+) EUR<', page, re.DOTALL)
    assert found is not None
    return float(found[1].replace(" ", ""))


def test_the_psu_may_be_oneself_in_a_browser(desk: Desk, tmp_path: Path) -> None:
    """Password from the data page, code from the inbox, the address where the browser ended typed into the shell."""
    blocks = desk.developer.blocks()
    walk = ["files", "consent", "ais-authorization", "ais-browser", "ais-token", "accounts"]
    for name in ("qwac.crt", "qwac.key"):
        shutil.copy(desk.folder / name, tmp_path)
    with subprocess.Popen(
        ["bash"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        shell.stdin.write("\n".join(blocks[step] for step in walk[:3]) + "\n")
        shell.stdin.flush()
        address = next(line.strip() for line in shell.stdout if re.match(r"https://localhost:\d+/authorize\?", line))
        redirect = _decided_by_a_person(desk, address)
        output, _ = shell.communicate(
            "\n".join([blocks["ais-browser"], redirect, blocks["ais-token"], blocks["accounts"]]), timeout=LONGEST_SECONDS
        )

    assert shell.returncode == 0, output
    assert output.count('"resourceId"') == 1


def _decided_by_a_person(desk: Desk, address: str) -> str:
    """Log in as Anna with what the portal shows, open one account, confirm; return where the browser is sent."""
    page = desk.developer.page(f"/tpps/{NUMBER}/data")
    password = re.search(r'id="anna.weber".*?<dt>Password</dt><dd><code[^>]*>([^<]+)<', page, re.DOTALL)
    assert password is not None
    browser = PsuBrowser(cafile=desk.platform.home.trust_bundle, redirect_uri="https://tpp.example/callback")
    browser.open(address)
    browser.send(browser.form_to("login"), login="anna.weber", password=password[1])
    choice = browser.form_to("accounts")
    browser.send(choice, account=choice.choices["account"][:1])
    browser.send(browser.form_to("send"))
    inbox = desk.developer.page(f"/tpps/{NUMBER}/inbox?psu=anna.weber")
    code = re.search(r'<p class="one-time-code">([0-9]{6})</p>', inbox)
    assert code is not None
    browser.send(browser.form_to("confirm"), code=code[1])
    browser.go_back_to_tpp()
    browser.close()
    assert browser.arrived_at is not None
    return browser.arrived_at


def test_a_redirect_uri_made_of_shell_runs_nothing_and_works(desk: Desk, tmp_path: Path) -> None:
    """Registered for real, chosen, pasted: the bank redirects to it, the token endpoint takes it, no file appears."""
    blocks = desk.developer.blocks(f"?{urlencode({'redirect_uri': NASTY})}")
    walk = ["files", "consent", "ais-authorization", "ais-headless", "ais-token", "accounts"]

    done = desk.pasted([blocks[step] for step in walk], tmp_path)

    assert done.returncode == 0, done.stderr
    assert '{"accounts":[{' in done.stdout
    assert {one.name for one in tmp_path.iterdir()} == {"qwac.crt", "qwac.key", "trust.pem"}


def test_a_missing_certificate_is_told_in_words(desk: Desk, tmp_path: Path) -> None:
    """Curl names the file; the blocks after it name the value that is missing."""
    blocks = desk.developer.blocks()
    blocks["files"] = blocks["files"].replace("QWAC=qwac.crt", "QWAC=nowhere/qwac.crt")

    done = desk.pasted([blocks["files"], blocks["consent"]], tmp_path)

    assert done.returncode != 0
    assert "curl: (58)" in done.stderr
    assert "nowhere/qwac.crt" in done.stderr
    assert "CONSENT_ID: was not given" in done.stderr


def test_a_refusal_shows_reason_and_hint(desk: Desk, tmp_path: Path) -> None:
    """Here a QSealC where the QWAC belongs."""
    blocks = desk.developer.blocks()
    shutil.copy(desk.folder / "qseal.crt", tmp_path)
    shutil.copy(desk.folder / "qseal.key", tmp_path)
    blocks["files"] = blocks["files"].replace("QWAC=qwac.crt KEY=qwac.key", "QWAC=qseal.crt KEY=qseal.key")

    done = desk.pasted([blocks["files"], blocks["consent"]], tmp_path)

    assert "mtls.not_a_qwac" in done.stdout
    assert "present the QWAC with its key" in done.stdout


@pytest.mark.parametrize(
    ("walk", "told"),
    [("accounts", "interimAvailable"), ("payment", "ACCC: ACCC and ACSC mean settled"), ("funds", "12 EUR: yes")],
)
def test_the_program_walks_each_way_to_its_end(desk: Desk, tmp_path: Path, walk: str, told: str) -> None:
    """As downloaded, beside the three files."""
    done = desk.program(tmp_path, walk, query="?psu=anna.weber")

    assert done.returncode == 0, done.stderr
    assert told in done.stdout


def test_the_program_tells_why_it_was_refused(desk: Desk, tmp_path: Path) -> None:
    """Reason, hint, clause, and the id to look for in the portal."""
    for name in ("crt", "key"):
        shutil.copy(desk.folder / f"qseal.{name}", tmp_path / f"qwac.{name}")
    shutil.copy(desk.platform.home.trust_bundle, tmp_path)
    (tmp_path / "first_call.py").write_text(desk.developer.page(f"/tpps/{NUMBER}/first_call.py"))

    done = desk._run([sys.executable, "first_call.py"], tmp_path)

    assert done.returncode == 1
    assert "reason: mtls.not_a_qwac" in done.stderr
    assert "hint: A QSealC signs messages" in done.stderr
    assert re.search(r"Requests tab: [0-9a-f-]{36}", done.stderr)


def test_the_program_names_the_file_that_is_missing(desk: Desk, tmp_path: Path) -> None:
    """Before anything is sent."""
    done = desk.program(tmp_path, "accounts", "--files", str(tmp_path / "nowhere"))

    assert done.returncode == 1
    assert f"{tmp_path / 'nowhere' / 'trust.pem'} is missing" in done.stderr
