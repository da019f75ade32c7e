"""A fault as JSON (docs/test-data.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, StringConstraints, field_validator, model_validator

from bank_backend.bodies import Body, Max140Text
from bank_backend.errors import FieldsInvalid
from bank_backend.faults.model import LONGEST_DELAY_MILLISECONDS, METHODS, Effect, FaultKind, NewFault, is_template
from psd2.tpp_messages import MessageCode

if TYPE_CHECKING:
    from bank_backend.faults.model import Fault

_FIRST_ERROR, _LAST_ERROR = 400, 599
_FIRST_SERVER_ERROR: Final = 500
_MOST_CALLS: Final = 1_000_000
# What each kind takes beside method, path, rate and calls; the first is needed.
_MEMBERS: Final = {
    FaultKind.LATENCY: ("milliseconds",),
    FaultKind.ERROR: ("status", "code", "text"),
    FaultKind.DROP_ANSWER: ("milliseconds",),
    FaultKind.REJECT_PAYMENT: ("reason", "text"),
}
_NEEDED: Final = {FaultKind.LATENCY: "milliseconds", FaultKind.ERROR: "status", FaultKind.REJECT_PAYMENT: "reason"}
_USUAL: Final = {400: "FORMAT_ERROR", 403: "SERVICE_BLOCKED", 404: "RESOURCE_UNKNOWN", 405: "SERVICE_INVALID"}


class FaultBody(Body):
    """`POST …/faults`."""

    kind: str
    method: str = "*"
    path: Annotated[str, StringConstraints(max_length=200)]
    rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    calls: Annotated[int, Field(ge=1, le=_MOST_CALLS)] | None = None
    milliseconds: Annotated[int, Field(ge=1, le=LONGEST_DELAY_MILLISECONDS)] | None = None
    status: Annotated[int, Field(ge=_FIRST_ERROR, le=_LAST_ERROR)] | None = None
    code: str | None = None
    text: Max140Text | None = None
    reason: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[A-Z0-9]{2}$")] | None = None

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        return _one_of(value, tuple(kind.value for kind in FaultKind))

    @field_validator("method")
    @classmethod
    def _known_method(cls, value: str) -> str:
        return _one_of(value, METHODS)

    @field_validator("path")
    @classmethod
    def _template(cls, value: str) -> str:
        if not is_template(value):
            msg = "is no path of the interface: write one such as /v1/accounts/{account-id}/balances or /v1/payments/**"
            raise ValueError(msg)
        return value

    @field_validator("code")
    @classmethod
    def _known_code(cls, value: str | None) -> str | None:
        return None if value is None else _one_of(value, tuple(MessageCode))

    @model_validator(mode="before")
    @classmethod
    def _whole_rate(cls, values: Any) -> Any:  # noqa: ANN401 - what JSON holds
        # JSON writes 1.0 as 1.
        if isinstance(values, dict) and type(values.get("rate")) is int:
            return {**values, "rate": float(values["rate"])}
        return values

    def parsed(self) -> NewFault:
        """Return the fault it writes; raises `FieldsInvalid` for members that its kind lacks or does not know."""
        kind = FaultKind(self.kind)
        self._require_members(kind)
        status = self.status or 0
        usual = "INTERNAL_SERVER_ERROR" if status >= _FIRST_SERVER_ERROR else _USUAL.get(status) or _code_of(status)
        effect = Effect(
            milliseconds=self.milliseconds or 0,
            status=status,
            code=(self.code or usual) if kind is FaultKind.ERROR else "",
            text=self.text or "",
            reason=self.reason or "",
        )
        return NewFault(method=self.method, path=self.path, kind=kind, effect=effect, rate=self.rate, calls=self.calls)

    def _require_members(self, kind: FaultKind) -> None:
        needed = _NEEDED.get(kind)
        faults = {needed: f"is missing: a fault of kind {kind} needs it"} if needed and getattr(self, needed) is None else {}
        strange = {name for members in _MEMBERS.values() for name in members} - set(_MEMBERS[kind])
        faults |= {
            name: f"says nothing for a fault of kind {kind}: leave it out"
            for name in strange
            if getattr(self, name) is not None
        }
        if kind is FaultKind.REJECT_PAYMENT and self.method not in {"*", "POST"}:
            faults["method"] = "is wrong: payments are initiated by POST"
        if faults:
            raise FieldsInvalid(dict(sorted(faults.items())))


def _one_of(value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        msg = f"{value[:40]!r} is not known: write one of {', '.join(known)}"
        raise ValueError(msg)
    return value


def _code_of(status: int) -> str:
    return next((code.value for code in MessageCode if code.status == status), MessageCode.FORMAT_ERROR.value)


def fault_json(fault: Fault) -> dict[str, object]:
    """Write a fault with what it has done so far."""
    return {
        "id": fault.id,
        "createdAt": fault.created_at.isoformat(timespec="seconds"),
        "method": fault.method,
        "path": fault.path,
        "kind": fault.kind.value,
        **fault.effect.as_json(),
        "rate": fault.rate,
        "calls": fault.calls,
        "callsLeft": fault.calls_left,
        "matched": fault.matched,
        "struck": fault.struck,
    }
