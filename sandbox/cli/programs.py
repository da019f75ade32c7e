"""Our own programs as one would type them here: by name where they are on the PATH, else by where they lie."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def typed(program: str) -> str:
    """Return what to type to run `sandbox` or `tpp`, so that what we print can be pasted."""
    beside_python = Path(sys.executable).with_name(program)
    if shutil.which(program) or not beside_python.exists():
        return program
    return shown(beside_python)


def shown(path: Path) -> str:
    """Return a path as one would type it in this folder."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
