"""Grants with a name: made, asked about, replaced, added to, given back (OpenID Grant Management, RFC 9396)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tpp_client.errors import Refused, UnexpectedResponse
from tpp_client.grants import (
    QUERY_SCOPE,
    REVOKE_SCOPE,
    GrantAction,
    GrantState,
    account_information,
    as_parameters,
    grant_request,
    grant_revocation_request,
    managed,
    process_grant_response,
    process_grant_revocation_response,
)
from tpp_client.journeys.endings import explained
from tpp_client.journeys.personas import persona_named, read_personas
from tpp_client.journeys.stage import discover, obtain_code, require_bound
from tpp_client.journeys.tenant_clock import day_at_bank

if TYPE_CHECKING:
    from tpp_client.discovery import ServerMetadata
    from tpp_client.journeys.stage import Stage

GRANT_DAYS: Final = 90
_UNKNOWN: Final = "invalid_grant_id"
_TOLD: Final = {
    GrantAction.CREATE: "Ask for a grant with a name",
    GrantAction.REPLACE: "Ask for other accounts in the place of what the grant holds",
    GrantAction.MERGE: "Ask for more accounts beside what the grant holds",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantResult:
    """A grant as it stands now; without a state it has been given back."""

    grant_id: str
    state: GrantState | None

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        if self.state is None:
            return {"grant_id": self.grant_id, "status": "revoked"}
        told = {"scope": self.state.scope, "status": self.state.status, "accounts": list(self.state.ibans)}
        return {"grant_id": self.grant_id, **told, "expires_at": self.state.expires_at.isoformat()}


def change_grant(
    stage: Stage, action: GrantAction, psu: str, *, grant_id: str | None = None, ibans: tuple[str, ...] = ()
) -> GrantResult:
    """Have the PSU grant accounts, its first one where none is named (to add: its second); raises `TppClientError`."""
    metadata = discover(stage)
    usual = _usual_accounts(stage, psu)[1 if action is GrantAction.MERGE else 0]
    return _changed(stage, metadata, action, grant_id=grant_id, ibans=ibans or (usual,))


def query_grant(stage: Stage, grant_id: str) -> GrantResult:
    """Ask how a grant stands; raises `TppClientError`."""
    return _queried(stage, discover(stage), grant_id)


def revoke_grant(stage: Stage, grant_id: str) -> GrantResult:
    """Give a grant back; raises `TppClientError`."""
    return _revoked(stage, discover(stage), grant_id)


def grants_journey(stage: Stage, psu: str) -> GrantResult:
    """Go the whole life of a grant; raises `TppClientError` at the first step that fails."""
    metadata = discover(stage)
    first, second = _usual_accounts(stage, psu)
    grant_id = _changed(stage, metadata, GrantAction.CREATE, grant_id=None, ibans=(first,)).grant_id
    merged = _changed(stage, metadata, GrantAction.MERGE, grant_id=grant_id, ibans=(second,))
    _require_accounts(merged, {first, second})
    replaced = _changed(stage, metadata, GrantAction.REPLACE, grant_id=grant_id, ibans=(second,))
    _require_accounts(replaced, {second})
    ended = _revoked(stage, metadata, grant_id)
    _require_unknown(stage, metadata, grant_id)
    return ended


def _changed(
    stage: Stage, metadata: ServerMetadata, action: GrantAction, *, grant_id: str | None, ibans: tuple[str, ...]
) -> GrantResult:
    stage.narrator.step(f"{_TOLD[action]}: {', '.join(ibans)}", "Grant Management §5.2, RFC 9396 §3")
    until = day_at_bank(stage) + timedelta(days=GRANT_DAYS)
    wish = as_parameters(account_information(ibans, valid_until=until)) | managed(action, grant_id)
    with explained(stage):
        code = obtain_code(stage, metadata, more=wish)
        stage.narrator.step("Exchange the code for a token, and hear what was granted", "Grant Management §5.5, RFC 9396 §7")
        granted = stage.voice.granted(stage.transport, metadata, code)
    require_bound(stage, metadata, granted.tokens)
    if granted.grant_id is None or grant_id not in {None, granted.grant_id}:
        msg = f"the bank names the grant {granted.grant_id}, where {grant_id or 'a name for a new one'} was asked for"
        raise UnexpectedResponse(msg)
    return _queried(stage, metadata, granted.grant_id)


def _queried(stage: Stage, metadata: ServerMetadata, grant_id: str) -> GrantResult:
    stage.narrator.step("Ask how the grant stands, with a token of our own", "Grant Management §6.1, §6.4")
    token = stage.voice.own_token(stage.transport, metadata, QUERY_SCOPE).access_token
    with explained(stage):
        state = process_grant_response(grant_request(stage.transport, metadata, grant_id, token=token))
    for name, value in (
        ("grant", grant_id),
        ("status", state.status),
        ("for", f"{state.scope}, {', '.join(state.ibans) or 'no accounts by name'}"),
        ("until", state.expires_at.isoformat()),
    ):
        stage.narrator.fact(name, value)
    return GrantResult(grant_id=grant_id, state=state)


def _revoked(stage: Stage, metadata: ServerMetadata, grant_id: str) -> GrantResult:
    stage.narrator.step("Give the grant back, with its tokens and its consent", "Grant Management §6.5")
    token = stage.voice.own_token(stage.transport, metadata, REVOKE_SCOPE).access_token
    with explained(stage):
        response = grant_revocation_request(stage.transport, metadata, grant_id, token=token)
        process_grant_revocation_response(response)
    stage.narrator.fact("grant", f"{grant_id} is over")
    return GrantResult(grant_id=grant_id, state=None)


def _require_unknown(stage: Stage, metadata: ServerMetadata, grant_id: str) -> None:
    try:
        state = _queried(stage, metadata, grant_id).state
    except Refused as refused:
        if refused.refusal.code != _UNKNOWN:
            raise
        return
    msg = f"the grant {grant_id} was given back, and the bank still tells of it: {state}"
    raise UnexpectedResponse(msg)


def _require_accounts(result: GrantResult, wanted: set[str]) -> None:
    held = set() if result.state is None else {*result.state.ibans}
    if held != wanted:
        msg = f"the grant is for {', '.join(sorted(held)) or 'no account'}, and {', '.join(sorted(wanted))} was asked for"
        raise UnexpectedResponse(msg)


def _usual_accounts(stage: Stage, psu: str) -> tuple[str, str]:
    """Return the account that a grant begins with, and the one that is added: the same one for a PSU that has no other."""
    accounts = persona_named(read_personas(stage), psu).accounts
    return accounts[0].iban, accounts[min(1, len(accounts) - 1)].iban
