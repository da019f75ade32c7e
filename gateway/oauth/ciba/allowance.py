"""How often a PSU is asked: who does not say yes is not asked over and over until it does ("MFA fatigue", CIBA Core §13).

Each ask takes a unit of the client's account for the PSU, and of its TPP's; a yes gives it back, and so does time, one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from gateway.limits.accounts import Claim, StoreUnreachable
from gateway.oauth.ciba.refusals import allowance_unknown, asked_too_often

if TYPE_CHECKING:
    from gateway.limits.accounts import AccountStore

_CLIENTS_OF_TPP: Final = 2  # all clients of a TPP together may ask a PSU twice as often as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """A client, its TPP, and whom it asks."""

    client_id: str
    authorisation_number: str
    psu: str

    @property
    def keys(self) -> tuple[str, str]:
        """The accounts: its own, and its TPP's."""
        return f"ciba-client|{self.client_id}|{self.psu}", f"ciba-tpp|{self.authorisation_number}|{self.psu}"


class AskAllowance:
    """Counts asks, over all processes."""

    def __init__(self, *, store: AccountStore, asks: int, seconds: float) -> None:
        """Let a client ask a PSU `asks` times, and then once every `seconds`."""
        self._store = store
        self._asks = asks
        self._seconds = seconds

    def take(self, asker: Asker) -> None:
        """Count an ask; raises `OAuthRefused` where it is one too many."""
        capacities = zip(asker.keys, (self._asks, self._asks * _CLIENTS_OF_TPP), strict=True)
        claims = [self._claim(key, capacity) for key, capacity in capacities]
        try:
            taken = self._store.take(claims)
            granted = [claim.key for claim, each in zip(claims, taken, strict=True) if each.granted]
            if len(granted) == len(claims):
                return
            if granted:
                self._store.give_back([(key, 1) for key in granted])
        except StoreUnreachable as error:
            raise allowance_unknown() from error
        left = min(each.left for each in taken if not each.granted)
        raise asked_too_often(self._asks, ceil((1 - left) * self._seconds))

    def give_back(self, asker: Asker) -> None:
        """Count an ask no more: the PSU has said yes, or was never asked."""
        try:
            self._store.give_back([(key, 1) for key in asker.keys])
        except StoreUnreachable:
            return  # time gives it back

    def _claim(self, key: str, capacity: int) -> Claim:
        keep = capacity * self._seconds
        return Claim(key=key, capacity=capacity, per_second=1 / self._seconds, wanted=1, overdraws=False, keep_seconds=keep)
