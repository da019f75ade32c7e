"""Who may have which number and name: the register's decisions before anybody is told of a TPP.

A number stays with whoever had it: its tenant at the bank and its requests in the audit log tell of one firm's tests.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from psd2.ids import new_secret
from sandbox.tpps.errors import RegisterFull, RegistrationConflict
from sandbox.tpps.model import Profile, Tpp, TppStatus
from sandbox.tpps.subjects import subject_of

if TYPE_CHECKING:
    from psd2.clock import Clock
    from sandbox.tpps.model import FormerTpp, RegistrationRequest

_NUMBER, _NAME = "authorisation_number", "name"
_HOW_TO_CHANGE = " (`sandbox tpp change-client` changes its OAuth client)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who asks: an organisation of the portal, the holder of a former registration's token, the operator, or anybody."""

    organisation_id: str | None = None
    access_token: str | None = field(default=None, repr=False)
    is_operator: bool = False


OPERATOR = Applicant(is_operator=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterLimits:
    """How many TPPs there may be, those counted that have left: their tenants stand at the bank."""

    all: int
    per_organisation: int

    def require_room(self, *, all_taken: int, organisations_own: int | None) -> None:
        """Raise `RegisterFull` unless one more may come; `organisations_own` is None for a TPP that is no organisation's."""
        if all_taken >= self.all:
            raise RegisterFull(f"{self.all} TPPs are registered, more are not taken (SANDBOX_MAX_TPPS)")
        if organisations_own is not None:
            self.require_room_in_organisation(organisations_own)

    def require_room_in_organisation(self, own: int) -> None:
        """Raise `RegisterFull` unless an organisation with `own` numbers may have one more."""
        if own >= self.per_organisation:
            raise RegisterFull(
                f"your organisation has registered {self.per_organisation} TPPs, those counted that it has left, "
                "more are not taken (SANDBOX_MAX_TPPS_PER_ORGANISATION)"
            )


class Register(Protocol):
    """What is on record."""

    def find(self, name_or_number: str) -> Tpp | None:
        """Return the TPP of this name or authorisation number."""

    def former(self, number: str) -> FormerTpp | None:
        """Return who had this number and has left."""

    def add(self, tpp: Tpp, *, limits: RegisterLimits | None) -> None:
        """Take a new TPP in, within `limits`, or (None) give a number back; raises `RegistrationConflict`, `RegisterFull`."""


class Applications:
    """Decides on registrations."""

    def __init__(self, *, records: Register, clock: Clock, limits: RegisterLimits) -> None:
        """Decide by these."""
        self._records = records
        self._clock = clock
        self._limits = limits

    def standing(self, request: RegistrationRequest, applicant: Applicant) -> Tpp | None:
        """Return the TPP that this very request has begun to register; raises `RegistrationConflict` if another stands there.

        Whose it is, and with what data, is nobody else's business; the operator may know.
        """
        by_number = self._records.find(str(request.authorisation_number))
        if by_number is not None and not _is_continued(by_number, request, applicant):
            detail = f", as {by_number.name}, with other data{_HOW_TO_CHANGE}" if applicant.is_operator else ""
            raise RegistrationConflict(f"{request.authorisation_number} is registered already{detail}", field=_NUMBER)
        by_name = self._records.find(request.name)
        if by_name is not None and by_name != by_number:
            raise RegistrationConflict(f"the name {request.name} is taken: choose another", field=_NAME)
        return by_number

    def admit(self, request: RegistrationRequest, applicant: Applicant) -> Tpp:
        """Take a new TPP in; raises `RegisterFull`, `RegistrationConflict`, `SubjectRefused`."""
        former = self._records.former(str(request.authorisation_number))
        if former is not None and not _had(former, applicant):
            # Said as of one that is registered: a stranger learns no more from the one than from the other.
            raise RegistrationConflict(f"{request.authorisation_number} is registered already", field=_NUMBER)
        tpp = _new_tpp(request, applicant, at=self._clock.now().timestamp())
        subject_of(tpp)  # what no certificate can carry is refused before anybody is told of the TPP
        self._records.add(tpp, limits=self._limits if former is None else None)
        return tpp


def token_sha256(token: str) -> str:
    """Return what is kept of an access token."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_token(token: str | None, sha256: str | None) -> bool:
    """Answer whether `token` is the one of which `sha256` is kept."""
    return token is not None and sha256 is not None and hmac.compare_digest(sha256, token_sha256(token))


def _is_continued(tpp: Tpp, request: RegistrationRequest, applicant: Applicant) -> bool:
    if not tpp.is_as_requested(request):
        return False
    return applicant.is_operator or tpp.organisation_id == applicant.organisation_id


def _had(former: FormerTpp, applicant: Applicant) -> bool:
    if applicant.is_operator:
        return True
    if former.organisation_id is not None:
        return former.organisation_id == applicant.organisation_id
    return is_token(applicant.access_token, former.access_token_sha256)


def _new_tpp(request: RegistrationRequest, applicant: Applicant, *, at: float) -> Tpp:
    return Tpp(
        authorisation_number=request.authorisation_number,
        name=request.name,
        organisation=request.organisation,
        roles=request.roles,
        redirect_uris=request.redirect_uris,
        profile=request.profile,
        client_id=_client_id(request),
        seed=request.seed,
        status=TppStatus.REGISTERING,
        created_at=at,
        organisation_id=applicant.organisation_id,
        client_metadata=request.client_metadata,
    )


def _client_id(request: RegistrationRequest) -> str:
    # BG IG 1.3.8 §13: the organizationIdentifier of the QWAC is the client id.
    if request.profile is Profile.BERLIN:
        return str(request.authorisation_number)
    return f"{request.name}-{new_secret(9)}"
