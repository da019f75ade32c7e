"""One request's way in, on one page: each step is a check that raises, and the data is the order (`STEPS`).

Whoever admits goes them until one raises; whoever explains (`gateway.explain`) goes the same ones and notes what each says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from gateway.admission.addresses import require_address
from gateway.admission.certificates import presented_certificate
from gateway.admission.hosts import require_host
from gateway.admission.proofs import proof_of
from gateway.admission.refusal import Refusal
from gateway.admission.roles import require_role
from gateway.admission.routes import matched_route
from gateway.admission.stages import Stage
from gateway.admission.targets import require_plain_target
from gateway.admission.tokens import active_token, owner_of, require_binding, require_owner, require_scope
from gateway.admission.tpps import registered_tpp

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.admission.memory import Memory
    from gateway.admission.request import Request
    from gateway.admission.routes import RouteSource
    from gateway.admission.tokens import AccessToken
    from gateway.dpop.proof import Proof
    from gateway.dpop.rule import ProofRule
    from gateway.policies.model import Route
    from gateway.register.model import Client, Tpp
    from gateway.trust.judgement import Judge
    from gateway.trust.verdict import Trusted
    from psd2.certificates import Psd2Certificate


@dataclass(slots=True)
class Admission:
    """What has been established so far; complete when `admit` returns, and of use to the audit log when it raises."""

    route: Route | None = None
    trusted: Trusted | None = None
    tpp: Tpp | None = None
    token: AccessToken | None = None
    proof: Proof | None = None

    @property
    def taken(self) -> Route:
        """The route, once it is known which."""
        if self.route is None:
            raise Refusal("route.unknown")
        return self.route

    @property
    def certificate(self) -> Psd2Certificate | None:
        """The TPP's certificate, once an authority for such is found to vouch for it."""
        return self.trusted.psd2_certificate if self.trusted else None


class Known(Protocol):
    """What is known of the world that the checks need: `Knowledge`."""

    @property
    def routes(self) -> RouteSource:
        """The routes in force."""

    @property
    def tokens(self) -> Memory[AccessToken]:
        """Access tokens by SHA-256."""

    @property
    def tpps(self) -> Memory[Tpp]:
        """TPPs by authorisation number."""

    @property
    def clients(self) -> Memory[Client]:
        """Clients by their ids."""

    @property
    def certificate_holders(self) -> Memory[tuple[str, ...]]:
        """The ids of the clients that have registered a self-signed certificate, by its SHA-256 (hex)."""

    @property
    def proofs(self) -> ProofRule:
        """What is asked of proofs of possession."""

    def judge_of(self, store: str) -> Judge:
        """Return the judge of a trust store; raises `NotLoaded`."""


class Step(NamedTuple):
    """One check of the way: it fills the admission or raises `Refusal`, `NotLoaded`.

    `stages` are those that it decides, in their order; `needs` those without which it has nothing to look at.
    """

    check: Callable[[Request, Known, float, Admission], None]
    stages: tuple[Stage, ...]
    needs: tuple[Stage, ...] = ()


def admit(request: Request, known: Known, now: float, admission: Admission) -> None:
    """Fill `admission`, or raise `Refusal`; `NotLoaded` where something has to be looked up first.

    `now` is epoch seconds.
    """
    for step in STEPS:
        step.check(request, known, now, admission)


def _target(request: Request, _known: Known, _now: float, _admission: Admission) -> None:
    require_plain_target(request.path, request.query)


def _host(request: Request, _known: Known, _now: float, _admission: Admission) -> None:
    require_host(request)


def _route(request: Request, known: Known, _now: float, admission: Admission) -> None:
    admission.route = matched_route(request, known.routes)


def _address(request: Request, _known: Known, _now: float, admission: Admission) -> None:
    require_address(request, admission.taken)


def _certificate(request: Request, known: Known, now: float, admission: Admission) -> None:
    admission.trusted = presented_certificate(request, admission.taken, known, now)


def _tpp(_request: Request, known: Known, _now: float, admission: Admission) -> None:
    admission.tpp = registered_tpp(admission.trusted, known.tpps)


def _token(request: Request, known: Known, now: float, admission: Admission) -> None:
    admission.token = active_token(request, admission.taken, known.tokens, now)


def _binding(request: Request, _known: Known, _now: float, admission: Admission) -> None:
    require_binding(admission.token, request.connection.leaf if admission.trusted else None, admission.taken)


def _proof(request: Request, known: Known, now: float, admission: Admission) -> None:
    admission.proof = proof_of(request, admission.token, admission.taken, known.proofs, now)


def _owner(_request: Request, known: Known, _now: float, admission: Admission) -> None:
    admission.tpp = admission.tpp or owner_of(admission.token, known.tpps)
    require_owner(admission.token, admission.tpp, known.clients)


def _role(_request: Request, _known: Known, _now: float, admission: Admission) -> None:
    require_role(admission.trusted, admission.tpp, admission.taken)


def _scope(_request: Request, _known: Known, _now: float, admission: Admission) -> None:
    require_scope(admission.token, admission.taken)


CERTIFICATE_STAGES: Final = (
    Stage.PRESENTED, Stage.BLOCK_LIST, Stage.CERTIFICATE, Stage.REVOCATION, Stage.QWAC, Stage.CONDITIONS,
)  # fmt: skip
# The way itself. No line can move above what it needs.
STEPS: Final = (
    Step(_target, (Stage.REQUEST,)),
    Step(_host, (Stage.REQUEST,)),
    Step(_route, (Stage.ROUTE,), needs=(Stage.REQUEST,)),
    Step(_address, (Stage.ADDRESS,), needs=(Stage.ROUTE,)),
    Step(_certificate, CERTIFICATE_STAGES, needs=(Stage.ROUTE,)),
    Step(_tpp, (Stage.REGISTER,), needs=(Stage.CONDITIONS,)),
    Step(_token, (Stage.TOKEN,), needs=(Stage.ROUTE,)),
    Step(_binding, (Stage.BINDING,), needs=(Stage.CONDITIONS, Stage.TOKEN)),
    Step(_proof, (Stage.BINDING,), needs=(Stage.TOKEN,)),
    Step(_owner, (Stage.BINDING,), needs=(Stage.REGISTER, Stage.TOKEN)),
    Step(_role, (Stage.ROLE,), needs=(Stage.REGISTER,)),
    Step(_scope, (Stage.SCOPE,), needs=(Stage.TOKEN,)),
)
