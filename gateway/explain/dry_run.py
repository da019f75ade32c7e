"""Goes the steps of `gateway.admission.admit` and notes what each says, where admission would stop at the first refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from chassis.told.vouched_certificates import Vouched
from gateway.admission.admit import CERTIFICATE_STAGES, STEPS, Admission
from gateway.admission.refusal import Refusal
from gateway.admission.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.admission.admit import Known, Step
    from gateway.admission.request import Request


class Verdict(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"
    NOT_ASKED = "not_asked"
    WITHHELD = "withheld"


# What the gateway knows of a certificate's holder: told to whoever has proved to be it, not to whoever has its certificate.
HOLDERS_OWN: Final = frozenset(
    {
        Stage.BLOCK_LIST, Stage.CONDITIONS, Stage.REGISTER, Stage.BINDING, Stage.ROLE, Stage.SUBSCRIPTION, Stage.LIMITS,
        Stage.SIGNATURE,
    }
)  # fmt: skip


@dataclass(slots=True)
class DryRun:
    """What was found: `verdicts` of the stages that have one, and what is wrong there.

    `refusals` end a request's way, `remarks` do not: the service hears of them.
    """

    withheld: frozenset[Stage] = frozenset()
    admission: Admission = field(default_factory=Admission)
    verdicts: dict[Stage, Verdict] = field(default_factory=dict)
    refusals: dict[Stage, Refusal] = field(default_factory=dict)
    remarks: dict[Stage, Refusal] = field(default_factory=dict)

    @property
    def first(self) -> Refusal | None:
        """What the gateway would answer: the refusal that comes first on the way."""
        return self.refusals[min(self.refusals, key=lambda stage: stage.place)] if self.refusals else None

    def lacks(self, *needed: Stage) -> bool:
        """Whether one of the stages has failed, or was not reached."""
        return any(self.verdicts.get(stage) in {Verdict.FAILED, Verdict.NOT_REACHED} for stage in needed)

    def note(self, stages: tuple[Stage, ...], verdict: Verdict) -> None:
        """Note a verdict; one that is worse stands already where two checks decide the same stage."""
        for stage in stages:
            if not self.lacks(stage):
                self.verdicts[stage] = Verdict.WITHHELD if stage in self.withheld else verdict

    def note_refusal(self, stages: tuple[Stage, ...], refusal: Refusal) -> None:
        """Note a check's refusal: of the stages that it decides, those in front of the refusal's own were passed."""
        failed = refusal.ground.stage if refusal.ground.stage in stages else stages[-1]
        for stage in stages:
            if stage.place < failed.place:
                self.note((stage,), Verdict.PASSED)
            elif stage is not failed:
                self.note((stage,), Verdict.NOT_REACHED)
        if not self.lacks(failed):
            self.verdicts[failed] = Verdict.FAILED
            self.refusals[failed] = refusal


def dry_run(request: Request, known: Known, now: float, *, withheld: frozenset[Stage] = frozenset()) -> DryRun:
    """Go every step that has what it needs; raises `NotLoaded` where something has to be looked up first."""
    run = DryRun(withheld=withheld)
    for step in STEPS:
        if run.lacks(*step.needs):
            run.note(step.stages, Verdict.NOT_REACHED)
        elif withheld and (withheld.issuperset(step.stages) or not withheld.isdisjoint(step.needs)):
            run.note(step.stages, Verdict.WITHHELD)
        else:
            _go(step, run, request, known, now)
    _note_unasked(run)
    return run


def _note_unasked(run: DryRun) -> None:
    """Tell stages that had nothing to look at from those that were passed."""
    if run.admission.route is None:
        return
    stands = run.lacks(Stage.CONDITIONS)  # then there was a certificate to look at, or one was wanted
    for stage, asks in _ASKED.items():
        is_of_certificate = stage in CERTIFICATE_STAGES and stands
        if run.verdicts.get(stage) is Verdict.PASSED and not is_of_certificate and not asks(run.admission):
            run.verdicts[stage] = Verdict.NOT_ASKED


def _go(step: Step, run: DryRun, request: Request, known: Known, now: float) -> None:
    try:
        step.check(request, known, now, run.admission)
    except Refusal as refusal:
        run.note_refusal(step.stages, refusal)
    else:
        run.note(step.stages, Verdict.PASSED)


def _has_certificate(admission: Admission) -> bool:
    return admission.trusted is not None


def _has_issuer(admission: Admission) -> bool:
    return admission.trusted is not None and admission.trusted.vouched is not Vouched.REGISTERED


def _has_token(admission: Admission) -> bool:
    return admission.token is not None


# Whether a check that has raised nothing has looked at anything.
_ASKED: Final[dict[Stage, Callable[[Admission], bool]]] = {
    Stage.ADDRESS: lambda admission: admission.taken.ip_rules is not None,
    **dict.fromkeys(CERTIFICATE_STAGES, _has_certificate),
    **dict.fromkeys((Stage.REVOCATION, Stage.QWAC), _has_issuer),
    Stage.CONDITIONS: lambda admission: _has_certificate(admission) and admission.taken.certificate is not None,
    Stage.REGISTER: lambda admission: admission.tpp is not None,
    Stage.TOKEN: _has_token,
    Stage.BINDING: _has_token,
    Stage.ROLE: lambda admission: bool(admission.taken.roles),
    Stage.SCOPE: _has_token,
}
