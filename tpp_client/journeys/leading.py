"""Leading the PSU through SCA the way the bank has chosen: over its own pages, in its app, or through us (BG IG §4.6).

OAuth ends in a token; embedded and decoupled need none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

from tpp_client.authorisations import (
    AUTHORISED,
    FAILED,
    PsuProof,
    ScaStep,
    authorisation_start_request,
    process_authorisation_start_response,
    process_psu_proof_response,
    process_sca_status_response,
    psu_proof_request,
    sca_status_request,
)
from tpp_client.errors import TppClientError, UnexpectedResponse
from tpp_client.sandbox_api import inbox_request, process_app_decision_response, process_inbox_response, psu_interaction_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tpp_client.journeys.stage import Stage
    from tpp_client.sandbox_api import Persona
    from tpp_client.xs2a import Access

# What the TPP prefers: the bank may choose otherwise (BG IG §6.3.1.1).
EMBEDDED_PREFERRED = {"TPP-Redirect-Preferred": "false", "TPP-Decoupled-Preferred": "false"}
DECOUPLED_PREFERRED = {"TPP-Redirect-Preferred": "false", "TPP-Decoupled-Preferred": "true"}
_CODE = re.compile(r"\b\d{6}\b")
_SENT = frozenset({"SMS_OTP", "SMTP_OTP"})
_MOST_STEPS = 8
_MOST_LOOKS, _PAUSE_SECONDS = 40, 0.25


def require_approach(step: ScaStep, wanted: str) -> None:
    """Raise `TppClientError` where the bank has chosen another approach than the journey is about."""
    if step.approach != wanted:
        msg = f"the bank leads the PSU by {step.approach}, this journey is about {wanted}: its personality decides"
        raise TppClientError(msg)


def started(stage: Stage, step: ScaStep, persona: Persona, *, preferred: Mapping[str, str]) -> ScaStep:
    """Return the authorisation that the bank has started along with the resource, else start it with the PSU's name."""
    if step.start is None:
        return step
    stage.narrator.step("Start the authorisation", "BG IG §7.1")
    proof = PsuProof(psu=persona.psu)
    return process_authorisation_start_response(authorisation_start_request(stage.xs2a, step.start, proof, headers=preferred))


def carry_through(stage: Stage, step: ScaStep, persona: Persona) -> None:
    """Embedded: pass on what the bank asks of the PSU, link by link, until the authorisation is final (BG IG §7.2, §7.3)."""
    step = started(stage, step, persona, preferred=EMBEDDED_PREFERRED)
    for _ in range(_MOST_STEPS):
        if step.status in AUTHORISED:
            return
        address, proof = _asked(stage, step, persona)
        step = process_psu_proof_response(psu_proof_request(stage.xs2a, address, proof))
        stage.narrator.fact("authorisation", step.status or "unknown")
    msg = f"the authorisation is still {step.status} after {_MOST_STEPS} steps"
    raise UnexpectedResponse(msg)


def _asked(stage: Stage, step: ScaStep, persona: Persona) -> tuple[str, PsuProof]:
    links = step.links
    if "updatePsuAuthentication" in links:
        stage.narrator.step("Pass on the PSU's password", "BG IG §7.2.2")
        return links["updatePsuAuthentication"], PsuProof(psu=persona.psu, password=persona.password)
    if "selectAuthenticationMethod" in links:
        stage.narrator.step("Choose how the PSU confirms", "BG IG §7.2.3")
        return links["selectAuthenticationMethod"], PsuProof(method=_sent_method(step))
    if "authoriseTransaction" in links:
        stage.narrator.step("Pass on the code from the PSU's telephone", "BG IG §7.3")
        return links["authoriseTransaction"], PsuProof(code=newest_code(stage, persona.psu))
    msg = f"the authorisation is {step.status} and no link says what comes next: {', '.join(links) or 'none'}"
    raise UnexpectedResponse(msg)


def _sent_method(step: ScaStep) -> str:
    """Return a method whose code arrives in the sandbox's inbox."""
    for method in step.methods:
        if method.type in _SENT:
            return method.id
    msg = f"no method sends a code, and an app is not at hand: {', '.join(method.type for method in step.methods)}"
    raise TppClientError(msg)


def confirm_by_token(stage: Stage, address: str, access: Access) -> None:
    """Show the bank that its redirect has come back to us: the token proves it (BG IG §7.6.4); before, nothing counts."""
    stage.narrator.step("Confirm the authorisation with the token that it led to", "BG IG §7.6")
    response = stage.xs2a.put(address, {}, headers={"Authorization": f"Bearer {access.token}"})
    stage.narrator.fact("authorisation", process_psu_proof_response(response).status or "unknown")


def newest_code(stage: Stage, psu: str) -> str:
    """Return the newest one-time code of a PSU's inbox; raises `TppClientError` where there is none."""
    for message in process_inbox_response(inbox_request(stage.xs2a, psu=psu)):
        found = _CODE.search(message.text)
        if found:
            return found[0]
    msg = f"the inbox of {psu} holds no code"
    raise TppClientError(msg)


def decide_in_app(stage: Stage, address: str, *, psu: str, result: Literal["APPROVED", "REJECTED"] = "APPROVED") -> str:
    """Be the PSU in its bank's app, as only a sandbox lets one; returns the SCA status. `address` is the authorisation's."""
    url = urljoin(stage.identity.edge, address)
    return process_app_decision_response(psu_interaction_request(stage.xs2a, url=url, psu=psu, result=result))


def wait_for_app(stage: Stage, step: ScaStep) -> None:
    """Decoupled: ask for the status until the PSU has decided in the bank's app (BG IG §7.5); raises `TppClientError`."""
    stage.narrator.step("Wait until the PSU has decided in its bank's app", "BG IG §7.5")
    status = step.status
    for _ in range(_MOST_LOOKS):
        status = process_sca_status_response(sca_status_request(stage.xs2a, step.links["scaStatus"]))
        if status in AUTHORISED:
            stage.narrator.fact("authorisation", status)
            return
        if status == FAILED:
            raise TppClientError("the PSU has refused, or its time ran out")
        stage.pause(_PAUSE_SECONDS)
    msg = f"the authorisation is still {status} after {_MOST_LOOKS * _PAUSE_SECONDS:g} s: nobody has decided"
    raise TppClientError(msg)
