"""The server's signing keys in the hands of an operator: which there are, and a change of keys by hand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from gateway.oauth.jose.rotation import published_keys, signing_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from gateway.oauth.jose.rotation import Rotation, SigningKey
    from gateway.register.model import SigningAlg
    from psd2.clock import Clock


class KeyState(StrEnum):
    """Where a key is on its way."""

    SUCCESSOR = "successor"
    SIGNS = "signs"
    RETIRED = "retired"  # published until the last thing that it signed has ended
    WITHDRAWN = "withdrawn"  # in the JWKS no more


class RotatedKeyStore(Protocol):
    """Where the server's keys are kept."""

    def all(self) -> list[SigningKey]:
        """Return all keys, without their private parts."""

    def rotate(self, alg: SigningAlg, at: datetime, *, ahead: timedelta, withdraw: bool) -> Rotation:
        """Let the successor sign from now on; raises `RotationRefused`."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key and its state."""

    key: SigningKey
    state: KeyState


class KeyAdministration:
    """Tells of keys and changes them; makes none and signs nothing, for it has not the seal."""

    def __init__(self, *, store: RotatedKeyStore, ahead: timedelta, clock: Clock) -> None:
        self._store = store
        self._ahead = ahead
        self._clock = clock

    def known(self) -> list[KnownKey]:
        """Return all keys."""
        keys, now = self._store.all(), self._clock.now()
        return [KnownKey(key, _state(key, keys, now)) for key in keys]

    def rotate(self, alg: SigningAlg, *, withdraw: bool) -> Rotation:
        """Let the successor sign from now on; raises `RotationRefused`."""
        return self._store.rotate(alg, self._clock.now(), ahead=self._ahead, withdraw=withdraw)


def _state(key: SigningKey, keys: Sequence[SigningKey], now: datetime) -> KeyState:
    if key not in published_keys(keys, now):
        return KeyState.WITHDRAWN
    if key.is_successor:
        return KeyState.SUCCESSOR
    return KeyState.SIGNS if key == signing_key(keys, key.alg, now) else KeyState.RETIRED
