"""Keeps small what servers print outside their logs: `*.console` files, which they hold open for as long as they live."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 4 * 1024 * 1024


def keep_consoles_small(folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Put aside what stands in full consoles, as `NAME.console.1`, and empty them; never raises for a file.

    They are open for appending, so that their holders go on at the new end. What is printed in the instant between
    copying and emptying is lost: fit for a console, not for a log.
    """
    for console in folder.glob("*.console"):
        with suppress(OSError):  # a full disk, for one, must not stop the platform
            if console.stat().st_size > most_bytes:
                shutil.copyfile(console, console.with_name(f"{console.name}.1"))
                os.truncate(console, 0)
