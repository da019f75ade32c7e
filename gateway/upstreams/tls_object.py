"""TLS of a connection whose reads and writes go to OpenSSL's own object, without a method in Python around each."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class DirectSslObject(ssl.SSLObject):
    """The standard library's, but for its shortest methods, which event loops look up once and call for each record."""

    _sslobj: Any

    @property
    def read(self) -> Callable[..., Any]:
        """Read so many bytes, or into a buffer."""
        return self._sslobj.read  # type: ignore[no-any-return]

    @property
    def write(self) -> Callable[[Any], int]:
        """Write bytes; returns how many were taken."""
        return self._sslobj.write  # type: ignore[no-any-return]

    @property
    def pending(self) -> Callable[[], int]:
        """Return how many bytes can be read at once."""
        return self._sslobj.pending  # type: ignore[no-any-return]
