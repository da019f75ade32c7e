"""Accounts in Valkey: each claim is one script, and Valkey runs one script at a time.

The server must keep what it is told: `maxmemory-policy noeviction`, and `appendonly yes` where quotas shall outlive it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.accounts import Claim, StoreUnreachable, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TIMEOUT_SECONDS: Final = 2.0
_PREFIX: Final = "limit|"
# As `accounts.grant`. %.17g keeps every digit of a double.
_TAKE: Final = """
local capacity, per_second, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local overdraws, keep, now = ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6])
local standing = redis.call('HMGET', KEYS[1], 'used', 'at')
local used, at = tonumber(standing[1] or 0), tonumber(standing[2] or now)
if now > at then
  used = math.max(0, used - (now - at) * per_second)
  at = now
end
local granted = wanted
if not overdraws then granted = math.max(0, math.min(wanted, math.floor(capacity - used))) end
used = used + granted
redis.call('HSET', KEYS[1], 'used', string.format('%.17g', used), 'at', string.format('%.17g', at))
redis.call('PEXPIRE', KEYS[1], keep)
return {granted, string.format('%.17g', capacity - used)}
"""
_GIVE_BACK: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HINCRBYFLOAT', KEYS[1], 'used', -ARGV[1]) end
"""


class ValkeyAccountStore:
    """`AccountStore` on a Valkey server. `clock` tells epoch seconds."""

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        """Speak to `valkey://[:PASSWORD@]HOST[:PORT]/[DB]`; connects when it is first asked."""
        # A store of its own choosing: only who uses Valkey needs its client (the extra `valkey`).
        from valkey import Valkey
        from valkey.exceptions import ValkeyError

        self._errors = (ValkeyError, OSError)
        self._clock = clock
        self._valkey = Valkey.from_url(
            url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS, health_check_interval=10
        )
        self._take = self._valkey.register_script(_TAKE)
        self._give_back = self._valkey.register_script(_GIVE_BACK)

    def take(self, claims: Sequence[Claim]) -> list[Taken]:
        """Grant what there is; raises `StoreUnreachable`."""
        try:
            return [self._taken(claim) for claim in claims]
        except self._errors as error:
            raise StoreUnreachable(str(error)) from error

    def _taken(self, claim: Claim) -> Taken:
        now = self._clock()
        granted, left = self._take(
            keys=[_PREFIX + claim.key],
            args=[
                repr(claim.capacity),
                repr(claim.per_second),
                claim.wanted,
                int(claim.overdraws),
                int(claim.keep_seconds * 1000) + 1,
                repr(now),
            ],
        )
        return Taken(int(granted), float(left), now)

    def give_back(self, units: Sequence[tuple[str, int]]) -> None:
        """Take back unspent units; raises `StoreUnreachable`."""
        try:
            for key, count in units:
                self._give_back(keys=[_PREFIX + key], args=[count])
        except self._errors as error:
            raise StoreUnreachable(str(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._valkey.connection_pool.disconnect()
