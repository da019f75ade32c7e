"""What an authorization request is kept as while the PSU is at the bank, and what its answer is held against."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gateway.oauth.authorization_refusals import bank_unavailable, not_as_asked
from gateway.oauth.authorization_response import ResponseMode
from gateway.oauth.bank import BankUnavailable
from gateway.oauth.code_challenge import METHOD
from gateway.oauth.model import AuthorizationCode, AuthorizationRequest, secret_sha256
from gateway.oauth.parameters import Parameters
from gateway.oauth.rar.resources import granted_entry
from gateway.oauth.scope import resource_of
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from gateway.oauth.authorization_request import ValidRequest
    from gateway.oauth.bank import BegunInteraction, Interaction


def kept_request(
    request: ValidRequest,
    interaction: BegunInteraction,
    *,
    one_time_id: str,
    browser: str,
    now: datetime,
    lifetime: timedelta,
) -> AuthorizationRequest:
    """Return a request that has been put before the PSU."""
    detail, grant = request.asked.detail, request.grant
    return AuthorizationRequest(
        sha256=secret_sha256(one_time_id),
        browser_sha256=secret_sha256(browser),
        client_id=request.client.client_id,
        authorisation_number=request.client.authorisation_number,
        redirect_uri=request.return_address.redirect_uri,
        scope=request.asked.granted(interaction.resource),
        state=request.return_address.state,
        response_alg=request.return_address.response_alg,
        code_challenge=request.code_challenge,
        interaction=interaction.id,
        interaction_url=interaction.url,
        is_made=request.asked.resource is None,
        dpop_jkt=request.dpop_jkt,
        authorization_details=None if detail is None else json.dumps(detail.told),
        grant_action=None if grant is None else grant.action.value,
        grant_id=None if grant is None else grant.grant_id,
        merges=None if grant is None else grant.merges,
        created_at=now,
        expires_at=now + lifetime,
        pushed_sha256=request.pushed_sha256,
    )


def code_for(
    kept: AuthorizationRequest, *, psu: str, secret: str, granted: str | None, now: datetime, lifetime: timedelta
) -> AuthorizationCode:
    """Return the code that the PSU's yes gives."""
    return AuthorizationCode(
        sha256=secret_sha256(secret),
        request_sha256=kept.sha256,
        client_id=kept.client_id,
        authorisation_number=kept.authorisation_number,
        redirect_uri=kept.redirect_uri,
        scope=kept.scope,
        subject=psu,
        code_challenge=kept.code_challenge,
        dpop_jkt=kept.dpop_jkt,
        grant_id=kept.grant_id or new_uuid(),
        issued_at=now,
        expires_at=now + lifetime,
        authorization_details=granted,
        tells_grant=kept.grant_action is not None,
        merges=kept.merges,
    )


def interaction_of(kept: AuthorizationRequest, interaction: Interaction) -> Interaction:
    """Return the interaction, if it is the one that was begun; raises `RedirectRefused`."""
    scope = resource_of(kept.scope)
    asked = (kept.interaction, kept.authorisation_number, scope.service.kind, scope.resource)
    if (interaction.id, interaction.tenant, interaction.kind, interaction.resource) != asked:
        raise not_as_asked(kept)
    return interaction


def granted_details(kept: AuthorizationRequest, interaction: Interaction) -> str | None:
    """Return what was granted, for a client that can't know it yet or has asked for it in full; None for others."""
    if not kept.is_made and kept.authorization_details is None and kept.grant_action is None:
        return None
    if interaction.told is None:
        raise bank_unavailable() from BankUnavailable(f"the bank does not tell what was granted for {kept.scope}")
    asked = {} if kept.authorization_details is None else json.loads(kept.authorization_details)
    return json.dumps([granted_entry(resource_of(kept.scope), asked=asked, standing=interaction.told)])


def as_parameters(kept: AuthorizationRequest) -> Parameters:
    """Return it as it was asked for, to be judged once more."""
    values = {
        "response_type": "code",
        "client_id": kept.client_id,
        "redirect_uri": kept.redirect_uri,
        "scope": str(resource_of(kept.scope)),
        "code_challenge": kept.code_challenge,
        "code_challenge_method": METHOD,
    }
    if kept.response_alg is not None:
        values["response_mode"] = ResponseMode.JWT.value
    return Parameters(values | ({"state": kept.state} if kept.state is not None else {}))
