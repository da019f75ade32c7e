"""The `h2` library's connection, held to the limits of the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes, Settings

from gateway.edge.http2.frames import LONGEST_FRAME

if TYPE_CHECKING:
    from h2.errors import ErrorCodes

MOST_STREAMS: Final = 100
_STREAM_WINDOW_BYTES: Final = 65_535
# Bodies that nobody has read yet hold this much of memory at most, and some of them do not hold up the others.
_CONNECTION_WINDOW_BYTES: Final = 512 * 1024
_MOST_TABLE_BYTES: Final = 4_096


class Frames(H2Connection):
    """A client's connection."""

    MAX_CLOSED_STREAMS = 10 * MOST_STREAMS  # the library remembers 65,536 streams that are over

    def greet(self) -> None:
        """Say what we take."""
        self.initiate_connection()
        self.increment_flow_control_window(_CONNECTION_WINDOW_BYTES - _STREAM_WINDOW_BYTES)

    def is_open(self, number: int) -> bool:
        """Whether something can be sent on a stream."""
        stream = self.streams.get(number)
        return stream is not None and not stream.closed

    def reset(self, number: int, code: ErrorCodes) -> None:
        """Reset a stream, unless it is over."""
        if self.is_open(number):
            self.reset_stream(number, code)

    def bound_table(self) -> None:
        """Keep our table of headers small, however much the client would remember: each answer searches through it."""
        self.encoder.header_table_size = min(self.encoder.header_table_size, _MOST_TABLE_BYTES)


def open_frames(*, max_head_bytes: int) -> Frames:
    """Return a server's connection. What heads and answers may hold is checked elsewhere, for both versions of HTTP."""
    frames = Frames(
        H2Configuration(
            client_side=False,
            header_encoding=None,
            validate_inbound_headers=False,
            normalize_inbound_headers=False,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
    )
    limits = {
        SettingCodes.MAX_CONCURRENT_STREAMS: MOST_STREAMS,
        SettingCodes.MAX_HEADER_LIST_SIZE: max_head_bytes,
        SettingCodes.MAX_FRAME_SIZE: LONGEST_FRAME,
        SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW_BYTES,
    }
    frames.local_settings = Settings(client=False, initial_values=limits)
    # Twice as much is still read, so that its sender gets an answer; beyond, the connection ends (HPACK bombs).
    frames.decoder.max_header_list_size = 2 * max_head_bytes
    return frames
