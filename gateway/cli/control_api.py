"""Calls the control API as `operator`; an answer is a JSON object, or a refusal with everything that the API said."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from chassis.addresses import PortTable, parse_peer
from chassis.home import Home
from chassis.peers import Peer, PeerSession
from gateway.config import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Unpack

    from chassis.peers import PeerAnswer, Sent

_CALLER: Final = "operator"
_FIRST_REFUSAL: Final = 400
_LONGEST_QUOTE: Final = 300
# A batch of a thousand documents, or the whole audit, takes its time.
_SECONDS: Final = (5.0, 120.0)


class Refused(Exception):
    """The control API said no: each line is one reason."""

    def __init__(self, status: int, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.status = status


class Session(Protocol):
    """What carries requests; raises `PeerUnavailable`."""

    def request(self, method: str, path: str, **sent: Unpack[Sent]) -> PeerAnswer:
        """Send a request."""


class ControlApi:
    """The control API; each call raises `Refused`, `PeerUnavailable`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """Return what is there."""
        return self._call("GET", path, query=query)

    def etag(self, path: str) -> str | None:
        """Return the entity tag of what is there, None where nothing is."""
        answer = self._send("GET", path)
        if answer.status_code == 404:  # noqa: PLR2004 - the one status that is no refusal here
            return None
        _accepted(answer)
        return answer.headers["ETag"]

    def change(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None, dry_run: bool = False
    ) -> dict[str, Any]:
        """Change something; a dry run says what would become of it."""
        query = {"dry_run": "true"} if dry_run else {}
        return self._call(method, path, body=body, query=query, headers={"X-Sandbox-Actor": _user(), **(headers or {})})

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - handed on
        return _accepted(self._send(method, path, **options))

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> PeerAnswer:
        params = {name: value for name, value in (query or {}).items() if value is not None}
        sent = dict(headers or {})
        if body is None:
            return self._session.request(method, path, params=params, headers=sent, timeout=_SECONDS)
        sent["Content-Type"] = "application/json"
        return self._session.request(method, path, params=params, headers=sent, data=orjson.dumps(body), timeout=_SECONDS)


def open_session(home: Path | None, base_port: int | None, address: str | None = None) -> PeerSession:
    """Return a session with the control API of a home; raises `SettingsRefused`, `InvalidAddress`."""
    settings = load_settings()
    folder = Home(home) if home else settings.home
    ports = PortTable(base_port or _running_base_port(folder) or settings.base_port)
    peer = parse_peer(address or "localhost", default_port=ports.admin)
    return PeerSession(Peer(name="admin", address=peer, home=folder, caller=_CALLER))


def _running_base_port(home: Home) -> int | None:
    """Return the port that a platform which runs in this home has noted there, if one does."""
    try:
        noted = orjson.loads((home.run / "platform.json").read_bytes())
        return int(noted["base_port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _accepted(answer: PeerAnswer) -> dict[str, Any]:
    try:
        document = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        document = {"detail": answer.text[:_LONGEST_QUOTE]}
    if answer.status_code >= _FIRST_REFUSAL:
        raise Refused(answer.status_code, _reasons(document))
    if not isinstance(document, dict):
        raise Refused(answer.status_code, ["the control API answered something that is no JSON object"])
    return document


def _reasons(problem: Mapping[str, Any]) -> list[str]:
    errors = problem.get("errors")
    if not errors:
        return [str(problem.get("detail") or problem.get("title") or "no reason was given")]
    return [": ".join(str(error[key]) for key in ("document", "field", "problem") if key in error) for error in errors]


def _user() -> str:
    """Return who sits at the terminal, for the audit."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return name.encode("ascii", "replace").decode()[:100]
