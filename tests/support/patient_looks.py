"""Looks at the audit log that end where the log ends, however busy the machine is."""

from __future__ import annotations

from gateway.audit import reader


def look_patiently() -> None:
    """Let every look of this process take the time it needs; a test of what a look may cost says its budget itself."""
    # Half a second is what the control API gives a look, beside an edge that needs the machine.
    reader._MOST_SECONDS = 60.0  # type: ignore[misc]
