"""The keys that this server signs with: the same in all workers, changed in time, published before and after they sign."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from gateway.oauth.jose.algorithms import SUPPORTED
from gateway.oauth.jose.private_keys import PrivateKey, new_private_key, public_jwk, raw_signature, read, signed, written
from gateway.oauth.jose.rotation import LONGEST_LIFE, REMEMBERED, SigningKey, due_steps, published_keys, signing_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from chassis.sealing import Seal
    from gateway.oauth.jose.rotation import Schedule
    from gateway.register.model import SigningAlg
    from psd2.clock import Clock

LOOK_SECONDS: Final = 60.0
# A key is made, begins, and its successor is made: more than that is never due at once.
_MOST_ROUNDS: Final = 4


class SigningKeyStore(Protocol):
    """Where the server's keys are kept."""

    def all(self) -> list[SigningKey]:
        """Return all keys, without their private parts."""

    def sealed(self, kid: str) -> bytes | None:
        """Return the sealed private part of a key."""

    def add(self, key: SigningKey, sealed: bytes) -> bool:
        """Publish a key, and tell whether no other process has done so with one of the same number."""

    def begin(self, kid: str, at: datetime) -> None:
        """Let a key sign from now on."""

    def drop(self, kid: str) -> None:
        """Forget a key."""


class NoSigningKey(Exception):
    """There is no key to sign with, and none could be made."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    kid: str
    key: PrivateKey
    until: datetime


class ServerKeys:
    """Signs, publishes and rotates."""

    def __init__(
        self,
        *,
        store: SigningKeyStore,
        seal: Seal,
        schedule: Schedule,
        clock: Clock,
        make: Callable[[SigningAlg], PrivateKey] = new_private_key,
    ) -> None:
        self._store = store
        self._seal = seal
        self._schedule = schedule
        self._clock = clock
        self._make = make
        self._remembered: dict[SigningAlg, _Remembered] = {}

    def sign(self, claims: Mapping[str, object], *, typ: str, alg: SigningAlg) -> str:
        """Return the claims as a signed JWT; raises `NoSigningKey`. An `exp` lies at most `LONGEST_LIFE` ahead."""
        self._require_short(claims)
        present = self._present(alg)
        return signed(json.dumps(claims).encode(), present.key, kid=present.kid, alg=alg, typ=typ)

    def signature(self, message: Callable[[str], bytes], *, alg: SigningAlg) -> tuple[str, bytes]:
        """Return the name of the present key and its signature of `message`, which may name it; raises `NoSigningKey`."""
        present = self._present(alg)
        return present.kid, raw_signature(message(present.kid), present.key, alg=alg)

    def jwks(self) -> dict[str, object]:
        """Return the JWK Set that anybody may have.

        Read anew each time: it never lacks a key that another worker signs with.
        """
        keys = self._store.all()
        if any(signing_key(keys, alg, self._clock.now()) is None for alg in SUPPORTED):
            self.keep_up()
            keys = self._store.all()
        return {"keys": [key.jwk for key in published_keys(keys, self._clock.now())]}

    def keep_up(self, algs: Collection[SigningAlg] = SUPPORTED) -> None:
        """Make, begin and drop what is due. Several processes may do so at once."""
        for _ in range(_MOST_ROUNDS):
            keys, now = self._store.all(), self._clock.now()
            steps = due_steps(keys, now, self._schedule, algs)
            for alg in steps.make:
                self._add(alg, 1 + max((key.number for key in keys if key.alg is alg), default=0), now)
            for kid in steps.begin:
                self._store.begin(kid, now)
                get_logger().info("signing_key.begins", kid=kid)
            for kid in steps.drop:
                self._store.drop(kid)
            if not steps.make and not steps.begin:
                return

    def start(self) -> None:
        """Keep up in the background for as long as the process lives."""
        threading.Thread(target=self._run, name="signing-keys", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            try:
                self.keep_up()
            except Exception as error:  # noqa: BLE001 - the next turn tries again; a dead thread would never
                get_logger().error("signing_key.keep_up_failed", error=repr(error))
            pause.wait(LOOK_SECONDS)

    def _require_short(self, claims: Mapping[str, object]) -> None:
        ends = claims.get("exp")
        if isinstance(ends, int | float) and datetime.fromtimestamp(ends, UTC) > self._clock.now() + LONGEST_LIFE:
            raise ValueError(f"what is signed may live {LONGEST_LIFE} at most: no key is published for longer after it")

    def _present(self, alg: SigningAlg) -> _Remembered:
        now, remembered = self._clock.now(), self._remembered.get(alg)
        if remembered is not None and remembered.until > now:
            return remembered
        kid = self._present_kid(alg)
        if remembered is None or remembered.kid != kid:
            remembered = _Remembered(kid, self._opened(alg, kid), now)
        self._remembered[alg] = _Remembered(kid, remembered.key, now + REMEMBERED)
        return remembered

    def _present_kid(self, alg: SigningAlg) -> str:
        key = signing_key(self._store.all(), alg, self._clock.now())
        if key is None:
            self.keep_up([alg])
            key = signing_key(self._store.all(), alg, self._clock.now())
        if key is None:
            raise NoSigningKey(alg.value)
        return key.kid

    def _opened(self, alg: SigningAlg, kid: str) -> PrivateKey:
        sealed = self._store.sealed(kid)
        if sealed is None:
            raise NoSigningKey(kid)
        return read(alg, self._seal.open(sealed, owner=_owner(kid)))

    def _add(self, alg: SigningAlg, number: int, now: datetime) -> None:
        key = self._make(alg)
        jwk = public_jwk(key, alg)
        kid = key.thumbprint()
        described = SigningKey(kid=kid, alg=alg, number=number, jwk=jwk, published_at=now)
        if self._store.add(described, self._seal.close(written(key), owner=_owner(kid))):
            get_logger().info("signing_key.published", kid=kid, alg=alg.value)


def _owner(kid: str) -> str:
    return f"signing-key/{kid}"
