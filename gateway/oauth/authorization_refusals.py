"""What can go wrong between the client's request and the PSU's answer, in words (RFC 6749 §4.1.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.oauth.refusals import PageRefused, RedirectRefused, Refusal

if TYPE_CHECKING:
    from gateway.oauth.authorization_request import ValidRequest
    from gateway.oauth.authorization_response import ReturnAddress
    from gateway.oauth.model import AuthorizationRequest
    from gateway.oauth.refusals import OAuthRefused

_CLAUSE = "RFC 6749 §4.1.2.1"
GRANT_OF_ANOTHER_PSU = Refusal(
    error="invalid_grant_id",
    description="grant_id: names a grant that another PSU has given than the one who is asked",
    reason="grant.other_psu",
    hint="ask for a new grant with grant_management_action=create",
    clause="Grant Management §5.4",
)


def unknown_request() -> PageRefused:
    """Return the refusal of a one-time id that names nothing (any more)."""
    return PageRefused(
        Refusal(
            error="invalid_request",
            description="this authorisation is not known: it was finished long ago, or never begun",
            reason="authorization.unknown",
            hint="go back to the app and begin again",
            clause=_CLAUSE,
            status=404,
        )
    )


def other_browser() -> PageRefused:
    """Return the refusal of a browser that did not begin the request it wants to finish."""
    return PageRefused(
        Refusal(
            error="invalid_request",
            description="this authorisation was begun in another browser",
            reason="authorization.other_browser",
            hint="finish it in the browser in which the app was opened, with cookies allowed",
            clause="RFC 9700 §4.7",
            status=403,
        )
    )


def code_already_redeemed() -> PageRefused:
    """Return the refusal of a request whose answer the client has used already."""
    return PageRefused(
        Refusal(
            error="invalid_request",
            description="this authorisation is complete: the app has received its answer",
            reason="authorization.complete",
            hint="go back to the app; nothing else is to be done here",
            clause="RFC 6749 §4.1.2",
            status=409,
        )
    )


def timed_out(kept: AuthorizationRequest) -> RedirectRefused:
    """Return the refusal of a request that the PSU came back to too late."""
    return RedirectRefused(
        Refusal(
            error="access_denied",
            description="the PSU did not finish in time",
            reason="authorization.timed_out",
            hint="send the PSU here again",
            clause=_CLAUSE,
        ),
        to=kept.return_address,
    )


def not_as_asked(kept: AuthorizationRequest) -> RedirectRefused:
    """Return the refusal of a decision that is not the answer to this request."""
    return RedirectRefused(
        Refusal(
            error="server_error",
            description="the bank's answer does not belong to this request",
            reason="authorization.mismatch",
            hint="send the PSU here again; if it comes back, tell the operator",
            clause=_CLAUSE,
        ),
        to=kept.return_address,
    )


def resource_unknown(request: ValidRequest) -> RedirectRefused:
    """Return the refusal of a scope that names no consent or payment of the TPP."""
    return RedirectRefused(
        Refusal(
            error=request.asked.error,
            description=f"{request.asked} names no consent or payment of this TPP",
            reason="resource.unknown",
            hint="take the id from the answer that made the consent or payment",
            clause="BG IG 1.3.8 §13.1",
        ),
        to=request.return_address,
    )


def awaiting_no_longer(request: ValidRequest) -> RedirectRefused:
    """Return the refusal of a consent or payment that nobody has to authorise (any more)."""
    return RedirectRefused(
        Refusal(
            error=request.asked.error,
            description=f"{request.asked} is not waiting to be authorised",
            reason="resource.state",
            hint="look at its status; a consent or payment is authorised once, then a new one is needed",
            clause="BG IG 1.3.8 §13.1",
        ),
        to=request.return_address,
    )


def of_request(refused: OAuthRefused, request: ValidRequest) -> RedirectRefused:
    """Return what a request is refused for, told to its client."""
    return RedirectRefused(refused.refusal, to=request.return_address)


def other_psu(kept: AuthorizationRequest) -> RedirectRefused:
    """Return the refusal of a grant that another PSU than its own was to change."""
    return RedirectRefused(GRANT_OF_ANOTHER_PSU, to=kept.return_address)


def bank_unavailable(to: ReturnAddress | None = None) -> PageRefused | RedirectRefused:
    """Return the refusal while the bank doesn't answer: to the client, or as a page that can be loaded again."""
    refusal = Refusal(
        error="temporarily_unavailable",
        description="the bank can't be reached at the moment",
        reason="upstream.bank",
        hint="try again in a moment",
        clause=_CLAUSE,
        status=503,
    )
    return PageRefused(refusal) if to is None else RedirectRefused(refusal, to=to)
