"""The commands to paste: what stands in them, and that nothing of them runs but curl."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from psd2.roles import PspRole
from sandbox.samples import service
from tests.support.samples import sample_data

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.samples.model import SampleData

FAKE_CURL = """#!/bin/sh
printf '%s\\n' "$@" >> "$LOG"
printf '{"consentId": "c-1", "paymentId": "p-1", "redirect": "https://tpp.example/callback?code=xyz&state=s&iss=i", '
printf '"request_uri": "urn:r", "access_token": "t-1", "accounts": [{"resourceId": "a-1"}, {"resourceId": "a-2"}]}\\n'
"""


def blocks(data: SampleData) -> list[str]:
    """Return every block in the page's order, but the one that waits for somebody's browser."""
    walks = [service.opening(data, root_fingerprint="AB:CD"), *service.walks(data)]
    return [step.command for walk in walks for step in walk.steps if not step.key.endswith("-browser")]


def pasted(data: SampleData, folder: Path) -> list[str]:
    """Paste every block into one bash, with a curl that says yes to everything; return what curl was called with."""
    (folder / "curl").write_text(FAKE_CURL)
    (folder / "curl").chmod(0o755)
    script = "\n".join(blocks(data)).replace("openssl x509", ": x509")
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "LOG": str(folder / "log")}
    done = subprocess.run(
        ["bash", "-u"], input=script, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return (folder / "log").read_text().splitlines()


def test_values_are_carried_from_block_to_block(tmp_path: Path) -> None:
    """Consent, code, token, account: each answer's value stands in the calls after it."""
    arguments = pasted(sample_data(), tmp_path)

    assert "Consent-ID: c-1" in arguments
    assert "Authorization: Bearer t-1" in arguments
    assert "code=xyz" in arguments
    assert "https://localhost:8443/v1/accounts/a-1/balances" in arguments
    assert "https://localhost:8443/v1/payments/sepa-credit-transfers/p-1/status" in arguments


def test_a_client_that_has_to_push_does(tmp_path: Path) -> None:
    """What it asks for goes over mutual TLS; the address that the PSU opens holds the reference alone."""
    arguments = pasted(sample_data(pushes=True, client_id="acme-1"), tmp_path)

    assert "https://localhost:8443/par" in arguments
    assert "scope=AIS:c-1" in arguments
    assert "urn:r" in "".join(one for one in arguments if one.startswith('{"url"'))
    assert "response_type=code&" not in "".join(arguments)


def test_every_call_has_a_request_id_of_its_own(tmp_path: Path) -> None:
    """Version 4 in form, as BG IG §4.1 wants it."""
    ids = [one.removeprefix("X-Request-ID: ") for one in pasted(sample_data(), tmp_path) if one.startswith("X-Request-ID")]

    assert len(ids) == len(set(ids)) > 5
    assert all(len(one) == 36 and one[14] == "4" and one[19] == "8" for one in ids)


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://tpp.example/$(touch${IFS}pwned)",
        "https://tpp.example/';touch${IFS}pwned;'",
        "https://tpp.example/`touch${IFS}pwned`",
        'https://tpp.example/"$(touch${IFS}pwned)"',
        "https://tpp.example/cb?a=1&b=!!;touch pwned",
    ],
)
def test_a_redirect_uri_is_inert_wherever_it_stands(tmp_path: Path, redirect_uri: str) -> None:
    """Pasted into a real bash it is sent as it is, and runs nothing."""
    arguments = pasted(sample_data(redirect_uri=redirect_uri), tmp_path)

    assert f"redirect_uri={redirect_uri}" in arguments
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("text", ["$(touch pwned)", "';touch pwned;'", '"}; touch pwned'])
def test_so_is_everything_else_that_somebody_chose(tmp_path: Path, text: str) -> None:
    """Personas, client ids and names are values too."""
    pasted(sample_data(psu=text, client_id=text, authorisation_number=text, organisation=text, iban=text), tmp_path)

    assert not (tmp_path / "pwned").exists()


def test_a_refusal_stops_the_way_where_it_happened(tmp_path: Path) -> None:
    """The variable that was not given names itself, below the answer with reason and hint."""
    data = sample_data()
    (tmp_path / "curl").write_text('#!/bin/sh\necho \'{"reason": "psd2.role", "hint": "Have a QWAC issued"}\'\n')
    (tmp_path / "curl").chmod(0o755)
    script = "\n".join(blocks(data)).replace("openssl x509", ": x509")

    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["bash"], input=script, env=environment, check=False, capture_output=True, text=True, timeout=60)

    assert done.returncode != 0
    assert '"hint": "Have a QWAC issued"' in done.stdout
    assert "CONSENT_ID: was not given" in done.stderr


def test_blocks_hold_nothing_that_an_interactive_shell_takes_otherwise() -> None:
    """At its prompt zsh takes no comments, and both take ! for history outside of single quotes."""
    for block in blocks(sample_data()):
        assert not any(line.lstrip().startswith("#") for line in block.splitlines())
        assert "!" not in block


@pytest.mark.parametrize(
    ("role", "walks"),
    [(PspRole.AI, ["accounts"]), (PspRole.PI, ["payment"]), (PspRole.IC, ["funds"]), (PspRole.AS, [])],
)
def test_each_role_has_its_own_way(role: PspRole, walks: list[str]) -> None:
    """What a role may not call is not shown."""
    assert [walk.key for walk in service.walks(sample_data(roles=frozenset({role})))] == walks


def test_no_payment_is_shown_where_nobody_can_be_paid() -> None:
    """A way that can't be walked to its end is no way."""
    assert "payment" not in {walk.key for walk in service.walks(sample_data(payment=None))}


def test_keys_of_steps_are_unlike() -> None:
    """They are the addresses of the blocks within the page."""
    data = sample_data()
    keys = [step.key for walk in [service.opening(data, root_fingerprint=""), *service.walks(data)] for step in walk.steps]

    assert len(keys) == len(set(keys))
