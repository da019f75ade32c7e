"""Addresses of hosts, looked up within a deadline: the system's resolver has none, and can't be told to stop."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import Future
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from gateway.trust.addresses import AddressRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.trust.addresses import IpAddress

    LookUp = Callable[[str, int], Sequence[IpAddress]]
    _Asked = tuple[str, str, int]  # on whose word, host, port

_MOST_AT_ONCE: Final = 16
_MOST_EACH: Final = 4


def looked_up(host: str, port: int) -> list[IpAddress]:
    """Ask the system, for as long as it takes; raises `OSError`, `UnicodeError`."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A scope (`fe80::1%eth0`) belongs to link-local addresses, which only a named host has.
    return list(dict.fromkeys(ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers))


class Names:
    """Looks names up, each in a thread that may be left behind; whoever asks for the same name meanwhile waits with it."""

    def __init__(self, look_up: LookUp = looked_up, *, most: int = _MOST_AT_ONCE, most_each: int = _MOST_EACH) -> None:
        """Have at most so many look-ups under way, and for each party: those that hang hold no more threads than that."""
        self._look_up = look_up
        self._most = most
        self._most_each = most_each
        self._lock = threading.Lock()
        self._under_way: dict[_Asked, Future[Sequence[IpAddress]]] = {}

    def addresses_of(self, host: str, port: int, *, seconds: float, party: str = "") -> Sequence[IpAddress]:
        """Return a host's addresses; raises `AddressRefused` where there are none in time.

        `party` is on whose word it is looked up; empty: the operator's, who has all there are.
        """
        try:
            return self._begun((party, host, port)).result(max(seconds, 0))
        except TimeoutError:
            raise AddressRefused(f"{host} is not found in time") from None
        except (OSError, UnicodeError):
            raise AddressRefused(f"{host} is not found") from None

    def _begun(self, asked: _Asked) -> Future[Sequence[IpAddress]]:
        party, host, _ = asked
        with self._lock:
            found = self._under_way.get(asked)
            if found is not None:
                return found
            self._require_room(party, host)
            found = self._under_way[asked] = Future()
        threading.Thread(target=self._work, args=(asked, found), name=f"name {host}", daemon=True).start()
        return found

    def _require_room(self, party: str, host: str) -> None:
        own = sum(each == party for each, _, _ in self._under_way)
        most = self._most_each if party else self._most
        if own >= most or len(self._under_way) >= self._most:
            raise AddressRefused(f"{host} is not looked up: {len(self._under_way)} other names have not been found yet")

    def _work(self, asked: _Asked, found: Future[Sequence[IpAddress]]) -> None:
        _, host, port = asked
        try:
            addresses = self._look_up(host, port)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            self._forget(asked)
            found.set_exception(error)
        else:
            self._forget(asked)
            found.set_result(addresses)

    def _forget(self, asked: _Asked) -> None:
        with self._lock:
            del self._under_way[asked]
