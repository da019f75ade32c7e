"""The catalogue as a page of documentation: `python -m bank_backend.personas.document > docs/personas.md` (a test compares)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from bank_backend.accounts.model import AccountStatus
from bank_backend.personas.catalogue import PERSONAS
from psd2.money import Money

if TYPE_CHECKING:
    from bank_backend.personas.model import AccountPlan, Persona

_HEAD: Final = """# Personas

Every TPP's bank is seeded with these people; only their IBANs, amounts and texts differ from tenant to tenant, by its seed.
They share one password, which the registration, `GET /sandbox/v1/data`, `sandbox data show` and the portal tell. More people
are made by shape: [`test-data.md`](test-data.md).

| login | for | accounts |
| --- | --- | --- |
"""


def document() -> str:
    """Return the page."""
    return _HEAD + "".join(f"| `{one.login}` | {one.purpose} | {_accounts(one)} |\n" for one in PERSONAS)


def _accounts(persona: Persona) -> str:
    own = [_account(plan) for plan in persona.accounts]
    shared = [
        f"shares *{plan.name}* of `{other.login}`"
        for other in PERSONAS
        for plan in other.accounts
        if persona.login in plan.joint_with
    ]
    return "; ".join([*own, *shared]) or "none"


def _account(plan: AccountPlan) -> str:
    said = [plan.currency]
    if plan.settles_with:
        said.append("card")
    if plan.cash_account_type == "SVGS":
        said.append("savings")
    if plan.joint_with:
        said.append(f"with {', '.join(f'`{login}`' for login in plan.joint_with)}")
    if plan.signatures_required > 1:
        said.append(f"{plan.signatures_required} signatures")
    if plan.overdraft_minor:
        said.append(f"limit {Money(plan.overdraft_minor, plan.currency).decimal}")
    if plan.status is not AccountStatus.ENABLED:
        said.append(plan.status.value)
    return f"{plan.name} ({', '.join(said)})"


if __name__ == "__main__":
    sys.stdout.write(document())
