"""What an authorization request asks for: a consent or payment that there is, or one to be made (BG IG §13.1, RFC 9396 §3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.oauth.grant_management.model import SCOPES as GRANT_API_SCOPES
from gateway.oauth.rar.judgement import require_allowed
from gateway.oauth.rar.reading import read_details
from gateway.oauth.rar.refusals import PARAMETER
from gateway.oauth.refusals import invalid_request, invalid_scope
from gateway.oauth.scope import ACCOUNTS_SCOPE, BerlinScope, Service, parse_scope, scope_values

if TYPE_CHECKING:
    from gateway.oauth.parameters import Parameters
    from gateway.oauth.rar.model import AuthorizationDetail
    from gateway.register.model import Tpp


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which service, on which consent or payment; `resource` None: one that is yet to be made, as `detail` says.

    Without `detail` it is a consent to what the PSU chooses. `grants_api`: the scopes of the grants API that stand beside it.
    """

    service: Service
    resource: str | None = None
    detail: AuthorizationDetail | None = None
    grants_api: tuple[str, ...] = ()

    def granted(self, resource: str) -> str:
        """Return the scope of what is granted, once there is a consent or payment to name in it."""
        return " ".join((str(BerlinScope(self.service, resource)), *self.grants_api))

    @property
    def error(self) -> str:
        """The error of a request that asks for what can't be had (RFC 6749 §4.1.2.1, RFC 9396 §5)."""
        return "invalid_scope" if self.detail is None else "invalid_authorization_details"

    def __str__(self) -> str:
        """Write what was asked for, for a refusal."""
        if self.detail is not None:
            return f"{PARAMETER}: {self.detail.type}"
        return f"scope: {ACCOUNTS_SCOPE if self.resource is None else BerlinScope(self.service, self.resource)}"


def read_asked(parameters: Parameters) -> Asked:
    """Read `scope` or `authorization_details`, whichever came; raises `OAuthRefused`."""
    scope, grants_api = _without_grants_api(parameters)
    details = parameters.get(PARAMETER)
    if details is not None:
        if scope is not None:
            raise _either_or()
        detail = read_details(details)
        return Asked(service=detail.type.service, resource=detail.identifier, detail=detail, grants_api=grants_api)
    if scope == ACCOUNTS_SCOPE:
        return Asked(service=Service.AIS, grants_api=grants_api)
    if scope is None:
        what = f"holds nothing to be granted beside {grants_api[0]}" if grants_api else "is missing"
        raise invalid_request("scope", f"{what}: write AIS:<consentId> or its like, {ACCOUNTS_SCOPE}, or send {PARAMETER}")
    berlin = parse_scope(scope)
    return Asked(service=berlin.service, resource=berlin.resource, grants_api=grants_api)


def require_may_ask(asked: Asked, tpp: Tpp, *, types: tuple[str, ...], location: str) -> None:
    """Raise `OAuthRefused` unless the TPP has the role, and its client may send such details; see `require_allowed`."""
    if asked.detail is not None:
        require_allowed(asked.detail, roles=tpp.roles, types=types, location=location)
    elif asked.service.role not in tpp.roles:
        raise invalid_scope(
            f"scope: {asked.service} needs the role {asked.service.role}, which the TPP does not hold",
            reason="psd2.role",
            hint=f"the TPP is registered with the roles {' '.join(sorted(tpp.roles))}",
        )


def require_announced(asked: Asked, *, is_pushed: bool) -> None:
    """Raise `OAuthRefused` where something would be made at the bank on the word of an address that anybody can write.

    What was pushed, its client has authenticated for.
    """
    if asked.resource is None and not is_pushed:
        parameter = "scope" if asked.detail is None else PARAMETER
        rule = "asks for something that the bank is to make: push the request first (POST /par), and send its request_uri"
        raise invalid_request(parameter, rule, clause="RFC 9126 §1")


def _without_grants_api(parameters: Parameters) -> tuple[str | None, tuple[str, ...]]:
    """Return the rest of the scope, None for none, and its values that are of the grants API; raises `OAuthRefused`."""
    scope = parameters.get("scope")
    asked = GRANT_API_SCOPES.intersection((scope or "").split(" "))
    if not asked:
        return scope, ()
    values, grants_api = scope_values(scope or ""), tuple(sorted(asked))
    if parameters.get("grant_management_action") is None:
        raise invalid_scope(
            f"scope: {grants_api[0]} is for a grant with a name, and grant_management_action, which asks for one, is missing",
            reason="oauth.scope",
            hint="send grant_management_action=create; for all grants, POST /token with grant_type=client_credentials",
            clause="Grant Management §6.1",
        )
    return " ".join(value for value in values if value not in asked) or None, grants_api


def _either_or() -> Exception:
    return invalid_scope(
        f"scope: says nothing beside {PARAMETER}: send one of the two",
        reason="oauth.scope",
        hint=f"what scope says, {PARAMETER} can say too: by the type, and by identifier for what there is already",
    )
