"""The TPP behind the app: its identity and connections, made anew when its files change; the bank's metadata, for a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tpp_client.errors import IdentityUnusable
from tpp_client.identity import load_identity
from tpp_client.speaking import voice_of
from tpp_client.transport import transport_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from chassis.addresses import Address
    from psd2.clock import Clock
    from tpp_client.discovery import ServerMetadata
    from tpp_client.identity import TppIdentity
    from tpp_client.speaking import Voice
    from tpp_client.wire import Transport

_METADATA_SECONDS = 300.0
_FILES = ("client.json", "qwac.crt", "qwac.key", "client.key", "dpop.key")


@dataclass(frozen=True, slots=True)
class Tpp:
    """Who we are at the bank, how our client speaks there, and what sends our calls."""

    identity: TppIdentity
    voice: Voice
    transport: Transport


class Desk(Protocol):
    """Where a request finds the TPP."""

    def tpp(self) -> Tpp:
        """Return the TPP as its files say it is now; raises `IdentityUnusable`."""

    def metadata(self, read: Callable[[], ServerMetadata]) -> ServerMetadata:
        """Return what the bank's authorization server said lately, or what `read` brings."""


class FileDesk:
    """The TPP of a folder, shared by all threads. A renewed certificate is presented from the next request on."""

    def __init__(self, folder: Path, *, redirect_uri: str, detours: Mapping[str, Address], clock: Clock) -> None:
        """Read nothing yet: the app answers before its TPP is registered."""
        self._folder = folder
        self._redirect_uri = redirect_uri
        self._detours = detours
        self._clock = clock
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._tpp: Tpp | None = None
        self._metadata: tuple[float, ServerMetadata] | None = None

    def tpp(self) -> Tpp:
        """Return the TPP as its files say it is now; raises `IdentityUnusable`."""
        with self._lock:
            stamp = self._files_stamp()
            if self._tpp is None or stamp != self._stamp:
                self._tpp, self._metadata = self._load(), None
                self._stamp = stamp
            return self._tpp

    def metadata(self, read: Callable[[], ServerMetadata]) -> ServerMetadata:
        """Return what the bank's authorization server said lately, or what `read` brings; raises what that raises."""
        with self._lock:
            kept = self._metadata
        if kept is not None and time.monotonic() - kept[0] < _METADATA_SECONDS:
            return kept[1]
        metadata = read()
        with self._lock:
            self._metadata = (time.monotonic(), metadata)
        return metadata

    def _load(self) -> Tpp:
        identity = load_identity(self._folder, clock=self._clock)
        if self._redirect_uri not in identity.redirect_uris:
            msg = f"{identity.name} has not registered {self._redirect_uri}, where this app takes the bank's answers"
            raise IdentityUnusable(msg)
        voice = voice_of(identity, clock=self._clock)
        return Tpp(identity, voice, voice.over(transport_for(identity, detours=self._detours)))

    def _files_stamp(self) -> tuple[int, ...]:
        return tuple(_stamp(self._folder / name) for name in _FILES)


def _stamp(path: Path) -> int:
    """Return when a file was written; a client that signs nothing has no key."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
