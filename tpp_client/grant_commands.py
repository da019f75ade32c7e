"""`tpp grant`: what a PSU has granted under a name, made, looked at, changed and given back (OpenID Grant Management)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console

from psd2.roles import PspRole
from tpp_client.bootstrap import browser_stage, headless_stage, identity_at
from tpp_client.errors import TppClientError
from tpp_client.grants import GrantAction
from tpp_client.journeys.catalogue import Journey, run_journey
from tpp_client.journeys.console import ConsoleNarrator, told_address
from tpp_client.journeys.granting import change_grant, query_grant, revoke_grant
from tpp_client.journeys.narration import Recorder
from tpp_client.options import CLOCK, give_up, home_option, json_option, psu_option, tpp_option
from tpp_client.transport import transport_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.granting import GrantResult
    from tpp_client.journeys.narration import Narrator
    from tpp_client.journeys.stage import Stage
    from tpp_client.wire import Transport

_grant_argument = click.argument("grant_id")
_iban_option = click.option(
    "--iban", "ibans", multiple=True, metavar="IBAN", help="An account that it is for; give more of it."
)
_browser_option = click.option("--browser", is_flag=True, help="A person decides in a browser.")


@click.group()
def grant() -> None:
    """Make, query, replace, merge and revoke a grant with a name; `tpp journey grants` goes it all."""


@grant.command()
@_iban_option
@tpp_option
@psu_option
@_browser_option
@home_option
@json_option
def create(*, ibans: tuple[str, ...], tpp_name: str, psu: str, browser: bool, home: Path, as_json: bool) -> None:
    """Have the PSU grant access to accounts (its first one, unless --iban says), and be told the grant's name."""
    way = _Way(tpp_name, home, psu=psu, browser=browser, as_json=as_json)
    way.go("create", lambda stage: change_grant(stage, GrantAction.CREATE, psu, ibans=ibans))


@grant.command()
@_grant_argument
@tpp_option
@home_option
@json_option
def query(*, grant_id: str, tpp_name: str, home: Path, as_json: bool) -> None:
    """See how a grant stands at the bank now, with a token of the TPP's own."""
    _Way(tpp_name, home, as_json=as_json).go("query", lambda stage: query_grant(stage, grant_id))


@grant.command()
@_grant_argument
@_iban_option
@tpp_option
@psu_option
@_browser_option
@home_option
@json_option
def replace(
    *, grant_id: str, ibans: tuple[str, ...], tpp_name: str, psu: str, browser: bool, home: Path, as_json: bool
) -> None:
    """Have the PSU grant something else under the same name; earlier tokens and the earlier consent end."""
    way = _Way(tpp_name, home, psu=psu, browser=browser, as_json=as_json)
    way.go("replace", lambda stage: change_grant(stage, GrantAction.REPLACE, psu, grant_id=grant_id, ibans=ibans))


@grant.command()
@_grant_argument
@_iban_option
@tpp_option
@psu_option
@_browser_option
@home_option
@json_option
def merge(*, grant_id: str, ibans: tuple[str, ...], tpp_name: str, psu: str, browser: bool, home: Path, as_json: bool) -> None:
    """Have the PSU add accounts (its second one, unless --iban says) to what the grant holds."""
    way = _Way(tpp_name, home, psu=psu, browser=browser, as_json=as_json)
    way.go("merge", lambda stage: change_grant(stage, GrantAction.MERGE, psu, grant_id=grant_id, ibans=ibans))


@grant.command()
@_grant_argument
@tpp_option
@home_option
@json_option
def revoke(*, grant_id: str, tpp_name: str, home: Path, as_json: bool) -> None:
    """Give a grant back: its tokens and its consent end."""
    _Way(tpp_name, home, as_json=as_json).go("revoke", lambda stage: revoke_grant(stage, grant_id))


class _Way:
    """One command's: as whom, in front of which PSU, and told how."""

    def __init__(self, tpp_name: str, home: Path, *, as_json: bool, psu: str = "", browser: bool = False) -> None:
        self._tpp_name, self._home, self._psu, self._as_json = tpp_name, home, psu, as_json
        self._console = Console(stderr=as_json, highlight=False)
        self._is_watched = browser

    def go(self, name: str, deed: Callable[[Stage], GrantResult]) -> None:
        """Do it, tell it, and end with exit status 1 where it is refused."""
        recorder = Recorder()
        narrator: Narrator = recorder if self._as_json else ConsoleNarrator(self._console)
        step = Journey(name=name, title=f"Grant: {name}", role=PspRole.AI, go=lambda stage, _: deed(stage))
        try:
            identity = identity_at(self._home, self._tpp_name, clock=CLOCK)
            with transport_for(identity) as transport:
                outcome = run_journey(step, self._stage(identity, transport, narrator), self._psu)
        except TppClientError as error:
            give_up(error, as_json=self._as_json)
        if self._as_json:
            steps = [step.as_json() for step in recorder.steps]
            click.echo(json.dumps({"tpp": self._tpp_name, "grant": outcome.as_json() | {"steps": steps}}, indent=2))
        sys.exit(1 if outcome.failure else 0)

    def _stage(self, identity: TppIdentity, transport: Transport, narrator: Narrator) -> Stage:
        if not self._is_watched:
            return headless_stage(identity, transport, psu=self._psu, narrator=narrator, clock=CLOCK)
        show = told_address(self._console)
        return browser_stage(identity, transport, show=show, narrator=narrator, clock=CLOCK)
