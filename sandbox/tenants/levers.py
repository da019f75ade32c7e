"""What a TPP's bank is shaped with: test data, snapshots, faults, its clock. Asked of the bank over the wire.

Documents stay as the bank writes them (docs/test-data.md): this side shows them and passes them on.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from sandbox.answers import PeerRefused, require_accepted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from chassis.peers import PeerAnswer, PeerSession, Sent
    from psd2.authorisation_number import AuthorisationNumber

_PEER: Final = "bank"
# Making thirteen months of transactions, or reading fifty thousand lines.
_LONG: Final = (2.0, 60.0)
_UNPROCESSABLE: Final = 422
_TYPES: Final = {"json": "application/json", "csv": "application/zip"}
Document = dict[str, Any]


class LinesRefused(PeerRefused):
    """Test data with faulty lines: `lines` are (file, line, column, text)."""

    def __init__(self, detail: str, lines: Sequence[tuple[str, int, str, str]], count: int) -> None:
        """Keep what is wrong with each."""
        super().__init__(_PEER, _UNPROCESSABLE, detail)
        self.lines = lines
        self.count = count


class Levers(Protocol):
    """What a tenant is shaped with; each call raises `PeerUnavailable` or `PeerRefused`."""

    def clock(self, number: AuthorisationNumber) -> Document:
        """Return what the tenant's clock shows."""

    def set_clock(self, number: AuthorisationNumber, now: str) -> Document:
        """Put it to a time."""

    def advance_clock(self, number: AuthorisationNumber, by: str) -> Document:
        """Put it forward by an ISO 8601 duration."""

    def snapshots(self, number: AuthorisationNumber) -> list[Document]:
        """Return the snapshots, the oldest first."""

    def take_snapshot(self, number: AuthorisationNumber, name: str) -> Document:
        """Keep the tenant's state under a name."""

    def restore_snapshot(self, number: AuthorisationNumber, name: str) -> Document:
        """Put it back."""

    def delete_snapshot(self, number: AuthorisationNumber, name: str) -> None:
        """Forget it."""

    def faults(self, number: AuthorisationNumber) -> list[Document]:
        """Return the faults that are set."""

    def set_fault(self, number: AuthorisationNumber, fault: Mapping[str, object]) -> Document:
        """Set one."""

    def clear_faults(self, number: AuthorisationNumber, fault_id: str | None = None) -> int:
        """Clear one, or all (None); returns how many."""

    def reset(self, number: AuthorisationNumber, seed: int | None = None) -> Document:
        """Make the tenant as if it were new."""

    def generate(self, number: AuthorisationNumber, shape: Mapping[str, object]) -> Document:
        """Add people of a shape."""

    def export(self, number: AuthorisationNumber, wanted: str) -> bytes:
        """Return the tenant's data: `json`, or `csv` for a ZIP archive of CSV files."""

    def bring_in(self, number: AuthorisationNumber, data: bytes, wanted: str) -> Document:
        """Put data in the place of the tenant's; raises `LinesRefused` too."""


class LeversOverTheWire:
    """The real ones."""

    def __init__(self, session: PeerSession) -> None:
        """Call over this session."""
        self._session = session

    def clock(self, number: AuthorisationNumber) -> Document:
        """Return what the tenant's clock shows."""
        return self._asked("GET", number, "/clock")

    def set_clock(self, number: AuthorisationNumber, now: str) -> Document:
        """Put it to a time."""
        return self._asked("PUT", number, "/clock", json={"now": now})

    def advance_clock(self, number: AuthorisationNumber, by: str) -> Document:
        """Put it forward by an ISO 8601 duration."""
        return self._asked("POST", number, "/clock/advance", json={"by": by})

    def snapshots(self, number: AuthorisationNumber) -> list[Document]:
        """Return the snapshots, the oldest first."""
        return list(self._asked("GET", number, "/snapshots")["snapshots"])

    def take_snapshot(self, number: AuthorisationNumber, name: str) -> Document:
        """Keep the tenant's state under a name."""
        return self._asked("POST", number, "/snapshots", json={"name": name})

    def restore_snapshot(self, number: AuthorisationNumber, name: str) -> Document:
        """Put it back."""
        return self._asked("POST", number, f"/snapshots/{quote(name, safe='')}/restore")

    def delete_snapshot(self, number: AuthorisationNumber, name: str) -> None:
        """Forget it."""
        self._asked("DELETE", number, f"/snapshots/{quote(name, safe='')}")

    def faults(self, number: AuthorisationNumber) -> list[Document]:
        """Return the faults that are set."""
        return list(self._asked("GET", number, "/faults")["faults"])

    def set_fault(self, number: AuthorisationNumber, fault: Mapping[str, object]) -> Document:
        """Set one."""
        return self._asked("POST", number, "/faults", json=dict(fault))

    def clear_faults(self, number: AuthorisationNumber, fault_id: str | None = None) -> int:
        """Clear one, or all (None); returns how many."""
        if fault_id is None:
            return int(self._asked("DELETE", number, "/faults")["cleared"])
        self._asked("DELETE", number, f"/faults/{quote(fault_id, safe='')}")
        return 1

    def reset(self, number: AuthorisationNumber, seed: int | None = None) -> Document:
        """Make the tenant as if it were new."""
        return self._asked("POST", number, "/data/reset", json={} if seed is None else {"seed": seed})

    def generate(self, number: AuthorisationNumber, shape: Mapping[str, object]) -> Document:
        """Add people of a shape."""
        return self._asked("POST", number, "/data/generate", json=dict(shape))

    def export(self, number: AuthorisationNumber, wanted: str) -> bytes:
        """Return the tenant's data: `json`, or `csv` for a ZIP archive of CSV files."""
        answer = self._session.get(f"{_path(number)}/data/export", params={"format": wanted}, timeout=_LONG)
        require_accepted(_PEER, answer)
        return answer.content

    def bring_in(self, number: AuthorisationNumber, data: bytes, wanted: str) -> Document:
        """Put data in the place of the tenant's; raises `LinesRefused` too."""
        headers = {"Content-Type": _TYPES[wanted]}
        if wanted == "json":
            # A tenant's transactions as JSON are larger than what is taken, and a twentieth of it compressed.
            data, headers = gzip.compress(data), {**headers, "Content-Encoding": "gzip"}
        answer = self._session.post(f"{_path(number)}/data/import", data=data, headers=headers, timeout=_LONG)
        if answer.status_code == _UNPROCESSABLE:
            _refuse_lines(answer)
        return require_accepted(_PEER, answer)

    def _asked(self, method: str, number: AuthorisationNumber, rest: str, **sent: Unpack[Sent]) -> Document:
        answer = self._session.request(method, f"{_path(number)}{rest}", **(sent | {"timeout": _LONG}))
        return require_accepted(_PEER, answer)


def _refuse_lines(answer: PeerAnswer) -> None:
    document = answer.json()
    lines = document.get("errors") if isinstance(document, dict) else None
    if lines:
        told = [(str(one["file"]), int(one["line"]), str(one["column"]), str(one["text"])) for one in lines]
        raise LinesRefused(str(document.get("detail")), told, int(document.get("count", len(told))))


def _path(number: AuthorisationNumber) -> str:
    return f"/internal/tenants/{quote(str(number), safe='')}"
