"""Whole journeys against a real platform: by the library, over both versions of TLS, and by the `tpp` command."""

from __future__ import annotations

import dataclasses
import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tpps import ANNA, CLOCK, open_stage, registered
from tpp_client.accounts import accounts_request, balances_request, process_accounts_response, process_balances_response
from tpp_client.attacks.catalogue import attacks_named
from tpp_client.authorisations import authorisations_request, process_authorisations_response
from tpp_client.bootstrap import backchannel_of, identity_at
from tpp_client.consents import consent_deletion_request, consent_status_request, process_consent_status_response
from tpp_client.errors import AuthorizationRefused, Refused
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.following import SETTLED
from tpp_client.journeys.leading import decide_in_app
from tpp_client.journeys.piis import piis_journey
from tpp_client.journeys.pis import embedded_journey, pis_journey
from tpp_client.journeys.stage import HeadlessPsu, discover
from tpp_client.sandbox_api import data_request, process_data_response
from tpp_client.sandbox_steering import personality_request, process_personality_response
from tpp_client.tokens import (
    introspection_request,
    process_introspection_response,
    process_revocation_response,
    process_token_response,
    refresh_request,
    revocation_request,
)
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from psd2.money import Money
    from tests.support.platform import RunningPlatform
    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.stage import AppInvitation, Stage

BOTH_TLS = pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls1.2", "tls1.3"])


@pytest.fixture(scope="module")
def identity(platform: RunningPlatform) -> TppIdentity:
    return registered(platform)


@BOTH_TLS
def test_account_information_brings_accounts_balances_and_transactions(identity: TppIdentity, tls: ssl.TLSVersion) -> None:
    """BG IG §6, over either version of TLS."""
    with open_stage(identity, tls=tls) as stage:
        result = ais_journey(stage)
        persona = next(each for each in process_data_response(data_request(stage.xs2a)) if each.psu == ANNA)

    assert {report.account.iban for report in result.reports} == {account.iban for account in persona.accounts}
    assert all(report.balances for report in result.reports)
    assert any(report.booked for report in result.reports)


@BOTH_TLS
def test_a_payment_is_settled_and_moves_the_balance(identity: TppIdentity, tls: ssl.TLSVersion) -> None:
    """BG IG §5: what leaves the payer's account is what was ordered, to the cent."""
    with open_stage(identity, tls=tls) as stage:
        before = balance(stage)
        payment = pis_journey(stage, ANNA)
        after = balance(stage)

    assert payment.status in SETTLED
    assert before - after == payment.order.amount


@BOTH_TLS
def test_funds_are_confirmed(identity: TppIdentity, tls: ssl.TLSVersion) -> None:
    """BG IG §10: yes to what is there, no to what is not."""
    with open_stage(identity, tls=tls) as stage:
        result = piis_journey(stage, ANNA)

    assert (result.small_is_covered, result.huge_is_covered) == (True, False)


def test_a_token_lives_is_refreshed_and_revoked(identity: TppIdentity) -> None:
    """RFC 7662, RFC 6749 §6, RFC 7009: each tells the truth about the same token."""
    client_id = identity.client_id
    with open_stage(identity) as stage:
        metadata, result = discover(stage), ais_journey(stage)
        assert result.tokens.refresh_token is not None
        response = refresh_request(stage.transport, metadata, client_id=client_id, refresh_token=result.tokens.refresh_token)
        fresh = process_token_response(response)
        revoked = revocation_request(stage.transport, metadata, client_id=client_id, token=fresh.access_token)
        process_revocation_response(revoked)
        looked_at = introspection_request(stage.transport, metadata, client_id=client_id, token=fresh.access_token)

    assert fresh.access_token != result.tokens.access_token
    assert process_introspection_response(looked_at).active is False


def test_a_refusing_psu_leaves_a_rejected_consent(identity: TppIdentity) -> None:
    """BG IG §6.3: no code, and the consent says so."""
    with open_stage(identity) as stage:
        refusing = dataclasses.replace(stage, psu=HeadlessPsu(xs2a=stage.xs2a, psu=ANNA, result="REJECTED"))
        with pytest.raises(AuthorizationRefused) as caught:
            ais_journey(refusing)

    assert caught.value.error == "access_denied"


def test_a_deleted_consent_opens_nothing(identity: TppIdentity) -> None:
    """BG IG §6.3.4: the token still lives, the consent does not."""
    with open_stage(identity) as stage:
        result = ais_journey(stage)
        consent_deletion_request(stage.xs2a, result.consent_id)
        status = process_consent_status_response(consent_status_request(stage.xs2a, result.consent_id))
        access = Access(token=result.tokens.access_token, consent_id=result.consent_id)
        with pytest.raises(Refused) as caught:
            process_accounts_response(accounts_request(stage.xs2a, access))

    assert status == "terminatedByTpp"
    assert caught.value.refusal.status == 401


def test_the_command_goes_every_journey(platform: RunningPlatform, identity: TppIdentity) -> None:
    """`tpp journey all --json`: one document, no secret in it."""
    done = platform.tpp("journey", "all", "--tpp", identity.name, "--json")

    # Those that move the tenant's clock are gone by name only.
    gone = ["ais", "pis", "piis", "embedded", "decoupled", "bulk", "cancelled"]
    document = json.loads(done.stdout)
    assert [(one["journey"], one["ok"]) for one in document["journeys"]] == [(name, True) for name in gone]


def test_the_command_tells_the_story(platform: RunningPlatform, identity: TppIdentity) -> None:
    """What a newcomer sees: steps, requests, answers; no colours where it is no terminal."""
    done = platform.tpp("journey", "ais", "--tpp", identity.name)

    assert "Account information by" in done.stdout
    assert "\nDone\n" in done.stdout
    assert "→ POST https://localhost:" in done.stdout
    assert "← 200" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_failed_journey_ends_with_its_reason(platform: RunningPlatform) -> None:
    """An AISP tries to pay: exit status 1, and the gateway's own reason."""
    aisp = registered(platform, roles="AISP")

    done = platform.tpp("journey", "pis", "--tpp", aisp.name, check=False)

    assert done.returncode == 1
    assert "ROLE_INVALID" in done.stdout


def test_a_strict_bank_gets_what_it_asks_for(platform: RunningPlatform, identity: TppIdentity) -> None:
    """Signed requests, the PSU's browser described, accounts by name, the redirect confirmed: at the second try."""
    with open_stage(identity) as stage:
        process_personality_response(personality_request(stage.xs2a, name="strict"))
        try:
            read = platform.tpp("journey", "ais", "--sign", "--tpp", identity.name)
            paid = platform.tpp("journey", "pis", "--sign", "--tpp", identity.name)
            asked = platform.tpp("journey", "piis", "--sign", "--tpp", identity.name)
            together = platform.tpp("journey", "bulk", "--sign", "--tpp", identity.name)
        finally:
            process_personality_response(personality_request(stage.xs2a, name="standard"))

    for told in (read.stdout, paid.stdout):
        assert "asked for: PSU-ID, PSU-User-Agent, TPP-Redirect-URI" in told
    for told in (read.stdout, paid.stdout, asked.stdout, together.stdout):
        assert "Confirm the authorisation" in told
        assert "\nDone\n" in told


def test_a_lenient_bank_may_ask_for_no_second_factor(identity: TppIdentity) -> None:
    """An authorisation that is exempted from SCA is as good as a finalised one (BG IG §14.15)."""
    with open_stage(identity) as stage:
        process_personality_response(personality_request(stage.xs2a, name="lenient"))
        try:
            result = embedded_journey(stage, ANNA)
        finally:
            process_personality_response(personality_request(stage.xs2a, name="standard"))

    assert result.status in SETTLED


def test_every_attack_is_held(platform: RunningPlatform, identity: TppIdentity) -> None:
    """`tpp attack all`, with another TPP and every faulty certificate at hand: none is left out."""
    other = registered(platform)
    for fault in ("expired", "not-yet-valid", "revoked"):
        platform.sandbox("cert", "issue", identity.name, "--kind", "qwac", "--fault", fault)

    done = platform.tpp("attack", "all", "--tpp", identity.name, "--other", other.name, "--json", check=False)

    outcomes = json.loads(done.stdout)["attacks"]
    others = {one.name for one in attacks_named("fapi")} - {"request-uri-replay", "request-uri-theft"}
    assert {
        one["attack"]: one["answered"] for one in outcomes if one["verdict"] != "held" and one["attack"] not in others
    } == {}
    assert {one["verdict"] for one in outcomes if one["attack"] in others} == {"not tried"}
    assert done.returncode == 0


def test_every_attack_on_a_client_that_signs_is_held(platform: RunningPlatform, identity: TppIdentity) -> None:
    """`tpp attack fapi`, on one that does all that there is to attack: none is left out."""
    client = ("--profile", "fapi2-message-signing", "--auth-method", "private_key_jwt", "--dpop")
    victim = registered(platform, client=client)

    done = platform.tpp("attack", "fapi", "--tpp", victim.name, "--other", identity.name, "--json", check=False)

    assert {one["attack"]: one["answered"] for one in json.loads(done.stdout)["attacks"] if one["verdict"] != "held"} == {}
    assert done.returncode == 0


def test_the_psu_is_asked_in_its_bank_app(platform: RunningPlatform) -> None:
    """`tpp journey ais --ciba`: undecided at first, a bound token after the PSU's yes, accounts (CIBA Core §7, §10.1)."""
    tpp = registered(platform, roles="AISP", client=("--profile", "fapi2", "--ciba", "poll"))

    gone = json.loads(platform.tpp("journey", "ais", "--ciba", "--tpp", tpp.name, "--json").stdout)

    (journey,) = gone["journeys"]
    polls = [call["status"] for step in journey["steps"] for call in step["exchanges"] if call["url"].endswith("/token")]
    assert (journey["ok"], polls) == (True, [400, 200])
    assert journey["result"]["accounts"]


def test_a_tpp_is_told_by_a_ping_that_the_psu_has_decided(platform: RunningPlatform) -> None:
    """`tpp journey ais --ciba`, the whole way: the bank calls the TPP's own server, and only then is a token asked for."""
    tpp = _pinged(platform)

    gone = json.loads(platform.tpp("journey", "ais", "--ciba", "--tpp", tpp.name, "--json").stdout)

    (journey,) = gone["journeys"]
    polls = [call["status"] for step in journey["steps"] for call in step["exchanges"] if call["url"].endswith("/token")]
    assert (journey["ok"], polls) == (True, [200])
    assert "by the token that we gave the bank" in str([step["facts"].get("told") for step in journey["steps"]])
    assert journey["result"]["accounts"]


def test_a_tpp_is_told_by_a_ping_of_a_no_too(platform: RunningPlatform) -> None:
    """A person decides, to whom the bank's app was named; the journey ends with what was decided (CIBA Core §10.2, §11)."""
    tpp = _pinged(platform)
    with open_stage(tpp) as stage:

        def refuse(invitation: AppInvitation) -> None:
            assert invitation.url == f"{platform.front_url}/psu/app/at/{tpp.authorisation_number}"
            (consent,) = [each.split(":")[1] for each in asked_scopes(stage)]
            address = f"/v1/consents/{consent}/authorisations"
            newest = process_authorisations_response(authorisations_request(stage.xs2a, address))[-1]
            decide_in_app(stage, f"{address}/{newest}", psu=ANNA, result="REJECTED")

        with pytest.raises(Refused, match="access_denied"):
            ais_journey(dataclasses.replace(stage, backchannel=backchannel_of(tpp, invite=refuse)))
        assert "has said no" in stage.narrator.steps[-1].facts["the end"]  # type: ignore[attr-defined]


def asked_scopes(stage: Stage) -> list[str]:
    """Return what the bank was asked to have approved in its app."""
    exchanges = [exchange for step in stage.narrator.steps for exchange in step.exchanges]  # type: ignore[attr-defined]
    return [exchange.asked["scope"] for exchange in exchanges if exchange.url.endswith("/bc-authorize")]


def _pinged(platform: RunningPlatform) -> TppIdentity:
    endpoint = f"https://localhost:{platform.tpp_port}/ping"
    client = ("--profile", "fapi2", "--ciba", "ping", "--notification-endpoint", endpoint)
    name = registered(platform, roles="AISP", client=client).name
    platform.sandbox("cert", "listener", name)
    return identity_at(platform.home.path, name, clock=CLOCK)


def test_a_grant_is_managed_from_the_command_line(platform: RunningPlatform) -> None:
    """`tpp grant`: made for one account, another one added, given back, unknown from then on (Grant Management §5, §6)."""
    tpp = registered(platform, roles="AISP").name

    def told(*arguments: str, check: bool = True) -> dict[str, Any]:
        grant: dict[str, Any] = json.loads(platform.tpp("grant", *arguments, "--tpp", tpp, "--json", check=check).stdout)[
            "grant"
        ]
        return grant

    made = told("create")["result"]
    merged = told("merge", made["grant_id"])["result"]
    revoked = told("revoke", made["grant_id"])["result"]
    unknown = told("query", made["grant_id"], check=False)

    assert (made["status"], len(made["accounts"]), len(merged["accounts"])) == ("valid", 1, 2)
    assert (merged["grant_id"], revoked) == (made["grant_id"], {"grant_id": made["grant_id"], "status": "revoked"})
    assert (unknown["ok"], unknown["reason"]) == (False, "grant.unknown")


def test_a_client_is_changed_and_its_key_rotated(platform: RunningPlatform) -> None:
    """`sandbox tpp change-client`, `rotate-key`: the next journey goes as the client is registered then, by its new key."""
    tpp = registered(platform, roles="AISP")
    signing = ("--profile", "fapi2-message-signing", "--auth-method", "private_key_jwt")

    platform.sandbox("tpp", "change-client", tpp.name, *signing)
    changed = json.loads(platform.sandbox("tpp", "rotate-key", tpp.name, "--json").stdout)
    gone = json.loads(platform.tpp("journey", "ais", "--tpp", tpp.name, "--json").stdout)

    (journey,) = gone["journeys"]
    signed = [exchange["signed"] for step in journey["steps"] for exchange in step["exchanges"] if "signed" in exchange]
    assert journey["ok"]
    assert {name for each in signed for name in each} == {"request", "client_assertion"}
    assert len({key["kid"] for key in changed["jwks"]["keys"]}) == 2


def balance(stage: Stage) -> Money:
    """Return what stands on the PSU's first account."""
    result = ais_journey(stage)
    access = Access(token=result.tokens.access_token, consent_id=result.consent_id)
    persona = next(each for each in process_data_response(data_request(stage.xs2a)) if each.psu == ANNA)
    account = next(report.account for report in result.reports if report.account.iban == persona.accounts[0].iban)
    balances = process_balances_response(balances_request(stage.xs2a, access, account.account_id))
    return next(each.amount for each in balances if each.kind == "interimAvailable")
