"""When what the authority has issued is renewed: so long before its end, and at least so often, as the operator says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.ca.errors import InvalidProfiles
from sandbox.ca.profiles import LeafProfile, ProfileName, Profiles

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

VARIABLE: Final = "SANDBOX_RENEWAL_RULES"
_HELD_BY_TPPS: Final = frozenset({ProfileName.QWAC, ProfileName.QSEAL})


class RenewalRule(BaseModel):
    """The operator's word on one profile, in the place of the profile's own; what is not said stays as it is there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before_days: Annotated[int | None, Field(ge=1, le=3_650)] = None
    every_days: Annotated[int | None, Field(ge=1, le=3_650)] = None


RenewalRules = Mapping[ProfileName, RenewalRule]


@dataclass(frozen=True, slots=True)
class Renewal:
    """A certificate of the platform, and when it will be renewed."""

    path: Path
    profile: LeafProfile
    certificate: x509.Certificate

    @property
    def due_at(self) -> datetime:
        """Return when it is renewed."""
        return renewal_time(self.profile, self.certificate)


def renewal_time(profile: LeafProfile, certificate: x509.Certificate) -> datetime:
    """Return when a certificate is renewed: its lead time before its end, or its interval after it was issued."""
    due = certificate.not_valid_after_utc - timedelta(days=profile.renew_days)
    if profile.renew_every_days is None:
        return due
    issued_at = certificate.not_valid_before_utc + timedelta(minutes=profile.backdated_minutes)
    return min(due, issued_at + timedelta(days=profile.renew_every_days))


def with_rules(profiles: Profiles, rules: RenewalRules) -> Profiles:
    """Return the profiles with these rules; raises `InvalidProfiles`, naming the rule, where one makes no sense."""
    leaves = {name: _with_rule(profile, rules.get(name)) for name, profile in profiles.profiles.items()}
    return profiles.model_copy(update={"profiles": leaves})


def _with_rule(profile: LeafProfile, rule: RenewalRule | None) -> LeafProfile:
    if rule is None:
        return profile
    if rule.every_days is not None and profile.name in _HELD_BY_TPPS:
        raise InvalidProfiles(f"{VARIABLE}: {profile.name}: every_days: a TPP holds its key, and renews by itself")
    said = {"renew_days": rule.before_days, "renew_every_days": rule.every_days}
    changed = {field: value for field, value in said.items() if value is not None}
    try:
        return LeafProfile.model_validate(profile.model_dump() | changed)
    except ValidationError as error:
        told = "; ".join(str(fault["msg"]).removeprefix("Value error, ") for fault in error.errors())
        problems = told.replace("renew_every_days", "every_days").replace("renew_days", "before_days")
        raise InvalidProfiles(f"{VARIABLE}: {profile.name}: {problems}") from error
