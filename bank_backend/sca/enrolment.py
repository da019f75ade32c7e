"""Setting methods up and taking them away: an authenticator app by its first code, a passkey by its first signature."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bank_backend.errors import ScaMethodUnknown
from bank_backend.sca.enrolled import EnrolledMethod
from bank_backend.sca.errors import EnrolmentRefused
from bank_backend.sca.model import MethodType
from bank_backend.sca.passkeys import PasskeyRefused
from bank_backend.sca.seeding import LABELS
from bank_backend.sca.totp import base32_of, matching_step, new_totp_secret
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_backend.database import Connection, Database
    from bank_backend.psus.model import Psu
    from bank_backend.sca.passkeys import Passkeys
    from bank_backend.sca.ports import MethodStore
    from bank_backend.sca.secrets import TotpSecrets
    from psd2.clock import Clock
    from psd2.ids import PsuId, TenantId

MOST_METHODS: Final = 12
_CHALLENGE_BYTES: Final = 32


class Enrolment:
    """The methods of a PSU that has signed in, or of a TPP's own test data."""

    def __init__(
        self, *, database: Database, methods: MethodStore, secrets: TotpSecrets, passkeys: Passkeys, device_clock: Clock
    ) -> None:
        """Keep methods in `methods`; `device_clock` is the time that authenticators go by."""
        self._database = database
        self._methods = methods
        self._secrets = secrets
        self._passkeys = passkeys
        self._device_clock = device_clock

    def enrolled(self, tenant: TenantId, psu: PsuId) -> list[EnrolledMethod]:
        """Return the PSU's methods in its order."""
        with self._database.reading() as connection:
            return [each for each in self._methods.of_psu(connection, tenant, psu) if each.is_enrolled]

    def begin_totp(self, psu: Psu) -> None:
        """Make a secret for an authenticator app; one that was begun before is forgotten. Raises `EnrolmentRefused`."""
        method, secret = new_uuid(), new_totp_secret()
        sealed = self._secrets.sealed(secret, method=method)
        with self._database.writing() as connection:
            self._begin(connection, replace(_new(psu, MethodType.TOTP), id=method, sealed_secret=sealed))

    def totp_secret(self, psu: Psu) -> bytes:
        """Return the secret of the authenticator app that is being set up; raises `EnrolmentRefused`."""
        with self._database.reading() as connection:
            return self._secrets.secret_of(self._require_begun(connection, psu, MethodType.TOTP))

    def finish_totp(self, psu: Psu, code: str) -> None:
        """Offer the authenticator app from now on; raises `EnrolmentRefused` unless it shows the right code."""
        with self._database.writing() as connection:
            begun = self._require_begun(connection, psu, MethodType.TOTP)
            step = matching_step(self._secrets.secret_of(begun), code, moment=self._device_clock.now(), after=None)
            if step is None:
                raise EnrolmentRefused("this is not the code that the authenticator app shows now: compare both clocks")
            # The code that has proved it approves nothing afterwards.
            self._methods.save(connection, replace(begun.finished(), last_step=step))

    def begin_passkey(self, psu: Psu) -> None:
        """Make a challenge for a new passkey; one that was begun before is forgotten. Raises `EnrolmentRefused`."""
        with self._database.writing() as connection:
            self._begin(connection, replace(_new(psu, MethodType.PASSKEY), challenge=secrets.token_bytes(_CHALLENGE_BYTES)))

    def passkey_request(self, psu: Psu) -> dict[str, Any]:
        """Return what the browser is asked in order to make a passkey; raises `EnrolmentRefused`."""
        with self._database.reading() as connection:
            begun = self._require_begun(connection, psu, MethodType.PASSKEY)
            known = self._methods.of_psu(connection, psu.tenant, psu.id)
        return self._passkeys.registration(
            tenant=psu.tenant,
            login=psu.id,
            name=psu.name,
            known=[each.credential for each in known if each.credential is not None],
            challenge=begun.challenge or b"",
        )

    def finish_passkey(self, psu: Psu, answer: Mapping[str, Any], *, label: str) -> None:
        """Offer the passkey from now on; raises `EnrolmentRefused` unless the answer is one to our own challenge."""
        with self._database.writing() as connection:
            begun = self._require_begun(connection, psu, MethodType.PASSKEY)
            try:
                credential, count = self._passkeys.registered(answer, challenge=begun.challenge or b"")
            except PasskeyRefused:
                raise EnrolmentRefused("the browser's answer does not fit what it was asked: begin again") from None
            made = replace(begun.finished(), credential=credential, sign_count=count, label=label or begun.label)
            self._methods.save(connection, made)

    def add(self, psu: Psu, kind: MethodType) -> EnrolledMethod:
        """Give a persona a method at once; an authenticator's secret is published test data. Raises `EnrolmentRefused`."""
        if kind is MethodType.PASSKEY:
            raise EnrolmentRefused("a passkey is made by the PSU's own device: set it up in the bank app")
        published = base32_of(new_totp_secret()) if kind is MethodType.TOTP else None
        added = replace(_new(psu, kind), published_secret=published, is_enrolled=True)
        with self._database.writing() as connection:
            known = _require_room(self._methods.locked_of_psu(connection, psu.tenant, psu.id))
            if kind is not MethodType.TOTP and any(each.type is kind for each in known):
                raise EnrolmentRefused(f"{psu.id} has {kind.value} already, and one is enough")
            added = replace(added, position=_after(known))
            self._methods.add(connection, [added])
        return added

    def remove(self, tenant: TenantId, psu: PsuId, method: str) -> None:
        """Take a method away; raises `ScaMethodUnknown`, or `EnrolmentRefused` for the last one."""
        with self._database.writing() as connection:
            known = [each for each in self._methods.locked_of_psu(connection, tenant, psu) if each.is_enrolled]
            if not any(each.id == method for each in known):
                raise ScaMethodUnknown(f"{method[:40]!r} is none of the PSU's methods")
            if len(known) == 1:
                raise EnrolmentRefused("this is the last method: without one nothing could be confirmed any more")
            self._methods.remove(connection, method)

    def _begin(self, connection: Connection, begun: EnrolledMethod) -> None:
        known = self._methods.locked_of_psu(connection, begun.tenant, begun.psu)
        forgotten = [each for each in known if each.type is begun.type and not each.is_enrolled]
        for each in forgotten:
            self._methods.remove(connection, each.id)
        _require_room(known)
        self._methods.add(connection, [replace(begun, position=_after(known))])

    def _require_begun(self, connection: Connection, psu: Psu, kind: MethodType) -> EnrolledMethod:
        for each in self._methods.of_psu(connection, psu.tenant, psu.id):
            if each.type is kind and not each.is_enrolled:
                return each
        raise EnrolmentRefused("nothing is being set up: begin again")


def _require_room(known: list[EnrolledMethod]) -> list[EnrolledMethod]:
    if sum(each.is_enrolled for each in known) >= MOST_METHODS:
        raise EnrolmentRefused(f"there are {MOST_METHODS} methods already: take one away first")
    return known


def _after(known: Sequence[EnrolledMethod]) -> int:
    return max((each.position for each in known), default=-1) + 1


def _new(psu: Psu, kind: MethodType) -> EnrolledMethod:
    return EnrolledMethod(
        id=new_uuid(),
        tenant=psu.tenant,
        psu=psu.id,
        type=kind,
        label=LABELS[kind],
        position=0,
        phone=psu.phone,
        email=psu.email,
    )
