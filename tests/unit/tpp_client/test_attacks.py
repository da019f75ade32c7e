"""Attacks: what they send, and how an outcome is judged."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from psd2.certificates import parse_certificate, require_qwac
from tests.unit.tpp_client.fakes import answer
from tpp_client.attacks.catalogue import CATALOGUE, attacks_named
from tpp_client.attacks.certificates import spoofed_headers
from tpp_client.attacks.field import AttackField
from tpp_client.attacks.forgery import forge_foreign, forge_self_signed
from tpp_client.attacks.model import Attack, NotTried, Verdict, expect, read_answer, read_page, read_redirect, run_attack
from tpp_client.cli import main
from tpp_client.errors import TppClientError, TransportFailed
from tpp_client.signing_keys import new_signing_key

if TYPE_CHECKING:
    from pathlib import Path

    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.stage import Stage
    from tpp_client.wire import HttpResponse


@pytest.fixture
def field(stage: Stage, tmp_path: Path) -> AttackField:
    return AttackField(stage, other=None, folder=tmp_path)


def attack(response: HttpResponse | Exception) -> Attack:
    def strike(_: AttackField) -> HttpResponse:
        if isinstance(response, Exception):
            raise response
        return response

    return Attack(name="a", title="t", clause="c", expected=expect(401, "TOKEN_INVALID"), strike=strike)


REFUSED = answer(401, {"tppMessages": [{"code": "TOKEN_INVALID", "text": "bound elsewhere"}]})
OTHERWISE_REFUSED = answer(401, {"tppMessages": [{"code": "TOKEN_EXPIRED", "text": "late"}]})


@pytest.mark.parametrize(
    ("response", "verdict", "bad"),
    [
        (REFUSED, Verdict.HELD, False),
        (OTHERWISE_REFUSED, Verdict.BROKEN, True),
        (answer(200, {"accounts": []}), Verdict.BROKEN, True),
        (answer(500, b""), Verdict.BROKEN, True),
        (TransportFailed("reset"), Verdict.UNCLEAR, True),
        (NotTried("needs a second TPP"), Verdict.NOT_TRIED, False),
    ],
)
def test_only_the_expected_refusal_is_held(
    field: AttackField, response: HttpResponse | Exception, verdict: Verdict, *, bad: bool
) -> None:
    """A refusal for another reason, an accident or a dead connection is not."""
    outcome = run_attack(attack(response), field)

    assert (outcome.verdict, outcome.is_bad) == (verdict, bad)


def test_a_redirect_with_an_error_is_a_refusal_and_one_without_is_none() -> None:
    """RFC 6749 §4.1.2.1."""
    assert read_redirect(answer(303, None, {"location": "https://l/cb?error=invalid_request&state=s"}))[0] == "invalid_request"
    assert read_redirect(answer(303, None, {"location": "https://l:8441/psu/1"})) == ("", "303: the gateway went along")
    assert read_redirect(answer(400, {"error": "invalid_request"}))[0] == "invalid_request"


def test_a_page_is_one_that_sends_the_browser_nowhere() -> None:
    """RFC 6749 §4.1.2.1: an open redirector would answer with a Location."""
    assert read_page(answer(400, b"<html>no</html>"))[0] == "page"
    assert read_page(answer(303, None, {"location": "https://attacker.example/?error=x"}))[0] == "redirect"


def test_what_a_browser_is_answered_is_read_wherever_it_stands() -> None:
    """An error in the redirect, plain or signed; a page; or neither, which is no refusal."""
    signed = new_signing_key().signed({"error": "invalid_request", "iss": "https://l"})
    fine = new_signing_key().signed({"code": "c0de", "iss": "https://l"})

    assert read_answer(answer(303, None, {"location": "https://l/cb?error=invalid_request"}))[0] == "invalid_request"
    assert read_answer(answer(303, None, {"location": f"https://l/cb?response={signed}"}))[0] == "invalid_request"
    assert read_answer(answer(303, None, {"location": f"https://l/cb?response={fine}"}))[0] == ""
    assert read_answer(answer(400, b"<html>used</html>"))[0] == "page"


def test_a_client_that_pushes_is_told_its_refusal_in_json() -> None:
    """And a success in JSON is none."""
    json_type = {"content-type": "application/json"}

    assert read_page(answer(400, {"error": "invalid_request"}, json_type))[0] == "invalid_request"
    assert read_page(answer(201, {"request_uri": "urn:x"}, json_type)) == ("", "201: the gateway let it through")


@pytest.mark.parametrize(
    "one", [one for one in attacks_named("fapi") if not one.name.startswith("request-uri")], ids=lambda one: one.name
)
def test_what_a_plain_client_can_not_be_attacked_with_is_said(field: AttackField, one: Attack) -> None:
    """With the way to a client that can; to push, any client may."""
    outcome = run_attack(one, field)

    assert (outcome.verdict, "sandbox tpp register" in outcome.answered) == (Verdict.NOT_TRIED, True)


@pytest.mark.parametrize("forge", [forge_self_signed, forge_foreign])
def test_forgeries_are_wrong_in_exactly_one_way(identity: TppIdentity, tmp_path: Path, forge: object) -> None:
    """A forged QWAC is a perfect QWAC but for who signed it, and its key is private."""
    credential = forge(identity.certificate, tmp_path)  # type: ignore[operator]

    forged = parse_certificate(credential.certificate.read_bytes())
    require_qwac(forged)
    assert forged.subject == identity.certificate.subject
    assert forged.roles == identity.certificate.roles
    assert forged.sha256 != identity.certificate.sha256
    assert stat.S_IMODE(credential.key.stat().st_mode) == 0o600


def test_every_header_carries_the_victims_certificate(identity: TppIdentity) -> None:
    """The headers of the gateways that once believed them."""
    headers = spoofed_headers(identity.certificate)

    assert headers["Client-Cert"].startswith(":MII")
    assert identity.certificate.sha256 in headers["X-Forwarded-Client-Cert"]
    assert all("\n" not in value for value in headers.values())


def test_what_is_missing_is_said(field: AttackField) -> None:
    """An attack that can't be tried tells how to make it possible."""
    with pytest.raises(NotTried, match="--other NAME"):
        field.other()
    with pytest.raises(NotTried, match="sandbox cert issue acme --kind qwac --fault revoked"):
        field.faulty("revoked")


def test_names_are_unique_and_all_means_all() -> None:
    """A misspelt name is told those there are."""
    assert len(attacks_named("all")) == len(CATALOGUE) >= 20
    with pytest.raises(TppClientError, match="no attack 'pkce'; there are: no-certificate"):
        attacks_named("pkce")


def test_the_list_needs_no_tpp() -> None:
    """`tpp attack list`."""
    listed = CliRunner().invoke(main, ["attack", "list", "--json"])

    assert listed.exit_code == 0
    assert {entry["attack"] for entry in json.loads(listed.stdout)} == set(CATALOGUE)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["attack", "all"], 2, "--tpp NAME"),
        (["attack", "nonsense", "--tpp", "acme"], 1, "no attack 'nonsense'"),
        (["attack", "all", "--tpp", "nobody"], 1, "no TPP 'nobody'"),
        (["journey", "ais", "--tpp", "nobody"], 1, "no TPP 'nobody'"),
        (["journey", "pis", "--tpp", "nobody", "--browser"], 2, "--browser goes with ais"),
        (["journey", "pis", "--tpp", "nobody", "--browser", "--ciba"], 1, "no TPP 'nobody'"),
        (["journey", "grants", "--tpp", "nobody", "--ciba"], 2, "a way to a token that grants does not go"),
        (["grant", "create", "--tpp", "nobody"], 1, "no TPP 'nobody'"),
        (["grant", "merge", "--tpp", "nobody"], 2, "Missing argument 'GRANT_ID'"),
    ],
)
def test_wrong_commands_say_what_would_be_right(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    """And end with a status of their own."""
    done = CliRunner().invoke(main, [*arguments, "--home", str(tmp_path)])

    assert done.exit_code == status
    assert said in done.stderr


def test_errors_are_json_too(tmp_path: Path) -> None:
    """With `--json` a script reads one place."""
    done = CliRunner().invoke(main, ["journey", "ais", "--tpp", "nobody", "--home", str(tmp_path), "--json"])

    assert "no TPP 'nobody'" in json.loads(done.stdout)["error"]
