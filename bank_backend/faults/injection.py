"""Where faults strike: every call of a TPP to `/v1` and `/v2` passes here, before its handler and after.

The answer says so itself (`X-Sandbox-Fault`), and so does the request log: nobody hunts a fault that he has set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from flask import Flask, Response, g, request

from bank_backend.calls import calling_tenant
from bank_backend.errors import BankError
from bank_backend.faults.model import PREFIXES, FaultKind
from bank_backend.grounds import GROUNDS, explanation, tell
from bank_backend.tenants.arrivals import arrival_of
from chassis.told.fault_orders import HEADER as ORDER
from chassis.told.fault_orders import FaultOrder
from chassis.told.refusals import HEADER as TOLD
from chassis.told.refusals import ToldRefusal
from psd2.tpp_messages import TppMessage, tpp_messages_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.faults.model import Fault
    from bank_backend.faults.service import Faults

HEADER: Final = "X-Sandbox-Fault"
REASONS: Final = {
    FaultKind.LATENCY: "fault.latency",
    FaultKind.ERROR: "fault.error",
    FaultKind.DROP_ANSWER: "fault.drop_answer",
}
_TEXTS: Final = {
    FaultKind.LATENCY: "A fault that this TPP has set held the answer back.",
    FaultKind.ERROR: "A fault that this TPP has set answered in the place of the bank, which has done nothing.",
    FaultKind.DROP_ANSWER: "A fault that this TPP has set ended the connection without an answer; the bank had done its work.",
}


def inject_faults(app: Flask, faults: Faults, *, sandbox_mode: bool) -> None:
    """Make `app` fail as TPPs have asked it to."""
    injection = _Injection(faults, sandbox_mode=sandbox_mode)
    app.before_request(injection.before)
    app.after_request(injection.after)


class _Injection:
    def __init__(self, faults: Faults, *, sandbox_mode: bool) -> None:
        self._faults = faults
        self._sandbox_mode = sandbox_mode

    def before(self) -> Response | None:
        if not request.path.startswith(PREFIXES):
            return None
        try:
            tenant = calling_tenant(request)
        except BankError:
            return None  # the handler says so
        arrival = arrival_of(tenant)
        if arrival is not None and not arrival.has_faults:
            return None
        g.faults = self._faults.striking(tenant, request.method, request.path)
        error = next((one for one in g.faults if one.kind is FaultKind.ERROR), None)
        return None if error is None else self._answer(error)

    def after(self, answer: Response) -> Response:
        struck: Sequence[Fault] = g.get("faults", ())
        if not struck:
            return answer
        answer.headers[HEADER] = ", ".join(_named(fault) for fault in struck)
        _order(answer, struck)
        # What ended the call is told; a mere delay where nothing else is.
        if TOLD not in answer.headers:
            tell(answer, _told(struck[-1].kind))
        return answer

    def _answer(self, fault: Fault) -> Response:
        effect = fault.effect
        body = tpp_messages_body(TppMessage(effect.code, effect.text or _TEXTS[FaultKind.ERROR]))
        if self._sandbox_mode:
            body |= explanation(_told(FaultKind.ERROR))
        answer = Response(orjson.dumps(body), status=effect.status, content_type="application/json")
        request_id = request.headers.get("X-Request-ID")
        if request_id is not None:
            answer.headers["X-Request-ID"] = request_id
        return answer


def _told(kind: FaultKind) -> ToldRefusal:
    ground = GROUNDS[REASONS[kind]]
    return ToldRefusal(reason=REASONS[kind], text=_TEXTS[kind], hint=ground.hint, clause=ground.clause)


def _order(answer: Response, struck: Sequence[Fault]) -> None:
    delay = sum(fault.effect.milliseconds for fault in struck)
    is_dropped = any(fault.kind is FaultKind.DROP_ANSWER for fault in struck)
    if delay or is_dropped:
        answer.headers[ORDER] = FaultOrder(delay, is_dropped).header


def _named(fault: Fault) -> str:
    return f"{fault.kind}; id={fault.id}"
