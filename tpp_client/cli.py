"""The `tpp` command: journeys and attacks of a registered TPP, told as they go."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from psd2.ids import new_uuid
from tpp_client.attacks.catalogue import CATALOGUE, attacks_named
from tpp_client.attacks.field import AttackField
from tpp_client.attacks.model import Outcome, Verdict, run_attack
from tpp_client.bootstrap import backchannel_of, browser_stage, headless_stage, identity_at
from tpp_client.dpop import ProvingTransport
from tpp_client.errors import TppClientError
from tpp_client.explaining import dressed, explain_request, process_explain_response, question_about, told
from tpp_client.grant_commands import grant
from tpp_client.http_signatures import signing_transport
from tpp_client.journeys.catalogue import NAMES, WITHOUT_TOKEN, journeys_for, run_journey
from tpp_client.journeys.console import ConsoleNarrator, told_address
from tpp_client.journeys.narration import Recorder
from tpp_client.options import CLOCK, give_up, home_option, json_option, psu_option, tpp_option
from tpp_client.seals import SigningTransport, load_seal
from tpp_client.speaking import proving_of, voice_of
from tpp_client.transport import transport_for
from tpp_client.wire import HttpRequest
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from tpp_client.attacks.model import Attack
    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.narration import Narrator
    from tpp_client.journeys.stage import AppInvitation, Stage
    from tpp_client.wire import Transport

_COLOURS = {Verdict.HELD: "green", Verdict.BROKEN: "bold red", Verdict.UNCLEAR: "bold yellow", Verdict.NOT_TRIED: "dim"}


@click.group()
def main() -> None:
    """Be a TPP at the sandbox bank: go whole journeys, manage grants, or attack its gateway."""


main.add_command(grant)


@main.command()
@click.argument("kind", type=click.Choice([*NAMES, "all"]))
@tpp_option
@psu_option
@home_option
@json_option
@click.option("--browser", is_flag=True, help="A person decides in a browser (ais only; with --ciba in the bank app, any).")
@click.option("--ciba", is_flag=True, help="The bank asks the PSU in its app, without a browser (OpenID CIBA).")
@click.option("--sign", is_flag=True, help="Sign every request with the TPP's QSealC.")
@click.option(
    "--http-signatures", is_flag=True, help="Sign what bears a token with the client's key, take signed answers only."
)
def journey(
    *,
    kind: str,
    tpp_name: str,
    psu: str,
    home: Path,
    as_json: bool,
    browser: bool,
    ciba: bool,
    sign: bool,
    http_signatures: bool,
) -> None:
    """Go a journey from the certificate to the data; `all` goes those that the TPP's roles allow."""
    _require_one_way(kind, browser=browser, ciba=ciba, sign=sign, http_signatures=http_signatures)
    console, recorder = Console(stderr=as_json, highlight=False), Recorder()
    narrator: Narrator = recorder if as_json else ConsoleNarrator(console)
    try:
        identity = identity_at(home, tpp_name, clock=CLOCK)
        with transport_for(identity) as transport:
            sender = _sealing(transport, identity) if sign else transport
            sender = _signing(transport, identity) if http_signatures else sender
            stage = _stage(identity, sender, narrator, psu=psu, person=console if browser else None, ciba=ciba)
            outcomes = [run_journey(one, stage, psu) for one in journeys_for(kind, identity.certificate)]
    except TppClientError as error:
        give_up(error, as_json=as_json)
    if as_json:
        chapters = zip(outcomes, recorder.chapters, strict=True)
        journeys = [one.as_json() | {"steps": [step.as_json() for step in steps]} for one, steps in chapters]
        click.echo(json.dumps({"tpp": tpp_name, "journeys": journeys}, indent=2))
    sys.exit(1 if any(outcome.failure for outcome in outcomes) else 0)


@main.command()
@click.argument("name", metavar="list|NAME|fapi|all")
@click.option("--tpp", "tpp_name", metavar="NAME", help="The victim, by its folder in certs/tpps; it needs the role AISP.")
@click.option("--other", "other_name", metavar="NAME", help="Another TPP, for attacks with a stolen token or code.")
@psu_option
@home_option
@json_option
def attack(*, name: str, tpp_name: str | None, other_name: str | None, psu: str, home: Path, as_json: bool) -> None:
    """Attack the gateway; exit status 1 when any attack was not held.

    fapi: what clients of the FAPI 2.0 profiles do, and whoever registers one would try on it.
    """
    if name == "list":
        _list_attacks(as_json=as_json)
        return
    if tpp_name is None:
        raise click.UsageError("name the victim with --tpp NAME")
    try:
        attacks = attacks_named(name)
        victim = identity_at(home, tpp_name, clock=CLOCK)
        other = identity_at(home, other_name, clock=CLOCK) if other_name else None
        outcomes = _struck(attacks, victim, other, psu=psu, console=None if as_json else Console(highlight=False))
    except TppClientError as error:
        give_up(error, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"tpp": tpp_name, "attacks": [outcome.as_json() for outcome in outcomes]}, indent=2))
    sys.exit(1 if any(outcome.is_bad for outcome in outcomes) else 0)


@main.command()
@click.argument("method", type=click.Choice(["GET", "POST", "PUT", "PATCH", "DELETE"], case_sensitive=False))
@click.argument("path")
@tpp_option
@click.option("--consent-id", help="The Consent-ID that the request would bear.")
@click.option("--token", envvar="TPP_TOKEN", show_envvar=True, help="The access token that it would bear.")
@click.option("--body", type=click.File(), help="The body that it would have, for signatures that cover it.")
@click.option("--sign", is_flag=True, help="It would be signed with the TPP's QSealC.")
@click.option("--http-signatures", is_flag=True, help="It would be signed with the client's key (RFC 9421).")
@click.option("--certificate", type=click.File(), help="Judge this certificate (PEM), not the TPP's own.")
@home_option
@json_option
def explain(
    *,
    method: str,
    path: str,
    tpp_name: str,
    consent_id: str | None,
    token: str | None,
    body: IO[str] | None,
    sign: bool,
    http_signatures: bool,
    certificate: IO[str] | None,
    home: Path,
    as_json: bool,
) -> None:
    """Ask the gateway what it would say to a request, check by check; exit status 1 when it would refuse.

    The request would go as the client speaks: a token that is bound to its key with a proof.
    """
    _require_one_signature(sign=sign, http_signatures=http_signatures)
    access = Access(token=token, consent_id=consent_id)
    try:
        identity = identity_at(home, tpp_name, clock=CLOCK)
        request = _described(identity, method.upper(), path, access, body.read() if body else None)
        request = dressed(request, lambda plain: _dress(plain, identity, sign=sign, http_signatures=http_signatures))
        with transport_for(identity) as transport:
            question = question_about(request, certificate=certificate.read() if certificate else None)
            response = explain_request(transport, identity.edge, question)
        explanation = process_explain_response(response)
    except TppClientError as error:
        give_up(error, as_json=as_json)
    click.echo(response.body.decode() if as_json else "\n".join(told(explanation)))
    sys.exit(0 if explanation.is_admitted else 1)


def _described(identity: TppIdentity, method: str, path: str, access: Access, body: str | None) -> HttpRequest:
    headers = {"X-Request-ID": new_uuid(), **access.headers, **({"Content-Type": "application/json"} if body else {})}
    return HttpRequest(method=method, url=identity.edge + path, headers=headers, body=body.encode() if body else None)


def _dress(plain: Transport, identity: TppIdentity, *, sign: bool, http_signatures: bool) -> Transport:
    """Return a transport that adds what the client would: its signature, and over it the proof of its key."""
    signed = _sealing(plain, identity) if sign else plain
    signed = _signing(plain, identity) if http_signatures else signed
    key = proving_of(identity, clock=CLOCK)
    return signed if key is None else ProvingTransport(transport=signed, key=key, edge=identity.edge)


def _sealing(transport: Transport, identity: TppIdentity) -> Transport:
    return SigningTransport(transport=transport, seal=load_seal(identity.qseal), clock=CLOCK)


def _signing(transport: Transport, identity: TppIdentity) -> Transport:
    key = voice_of(identity, clock=CLOCK).key
    return signing_transport(transport, key, issuer=identity.issuer, edge=identity.edge, clock=CLOCK)


def _require_one_way(kind: str, *, browser: bool, ciba: bool, sign: bool, http_signatures: bool) -> None:
    if browser and not ciba and kind != "ais":
        raise click.UsageError("--browser goes with ais, or with --ciba: the other journeys ask the sandbox who banks here")
    if ciba and kind in WITHOUT_TOKEN:
        raise click.UsageError(f"--ciba is a way to a token that {kind} does not go: try ais, pis or piis")
    _require_one_signature(sign=sign, http_signatures=http_signatures)


def _require_one_signature(*, sign: bool, http_signatures: bool) -> None:
    if sign and http_signatures:
        raise click.UsageError("--sign and --http-signatures both fill the field Signature: choose one")


def _stage(
    identity: TppIdentity, transport: Transport, narrator: Narrator, *, psu: str, person: Console | None, ciba: bool
) -> Stage:
    if person is None or ciba:
        invite = None if person is None else partial(_invite, person)
        backchannel = backchannel_of(identity, invite=invite) if ciba else None
        return headless_stage(identity, transport, psu=psu, narrator=narrator, clock=CLOCK, backchannel=backchannel)

    return browser_stage(identity, transport, show=told_address(person), narrator=narrator, clock=CLOCK)


def _invite(console: Console, invitation: AppInvitation) -> None:
    console.print(
        f"    Open the bank app in a browser, sign in as {invitation.psu}, password {invitation.password}, and decide on the "
        f"request that shows {invitation.message}; this command waits {invitation.seconds} s for it:",
        soft_wrap=True,
    )
    console.print(invitation.url, soft_wrap=True)


def _struck(
    attacks: tuple[Attack, ...], victim: TppIdentity, other: TppIdentity | None, *, psu: str, console: Console | None
) -> list[Outcome]:
    outcomes = []
    with transport_for(victim) as transport, TemporaryDirectory() as folder:
        stage = headless_stage(victim, transport, psu=psu, narrator=Recorder(), clock=CLOCK)
        field = AttackField(stage, other=other, folder=Path(folder))
        for one in attacks:
            outcomes.append(run_attack(one, field))
            if console:
                console.print(_verdict(outcomes[-1]), soft_wrap=True)
    return outcomes


def _verdict(outcome: Outcome) -> Text:
    first = Text.assemble((f"{outcome.verdict:>9}", _COLOURS[outcome.verdict]), "  ", (outcome.attack.name, "bold"))
    return first.append(f": {outcome.attack.title} ({outcome.attack.clause})\n           {outcome.answered}")


def _list_attacks(*, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([{"attack": one.name, "title": one.title, "clause": one.clause} for one in CATALOGUE.values()]))
        return
    width = max(map(len, CATALOGUE))
    for one in CATALOGUE.values():
        click.echo(f"{one.name:<{width}}  {one.title} ({one.clause})")


if __name__ == "__main__":
    main()
