"""Removing what a platform has made, and nothing else: neither tracked files nor a folder that is not ours."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from sandbox.platform.state import HomeNotUsable, RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from chassis.home import Home

_DATABASES = tuple(f"{name}.sqlite" for name in ("sandbox", "gateway", "limits", "bank", "demo"))
# Keys that seal or sign what stands in the databases go with them.
_MADE_IN_VAR = (*_DATABASES, "portal.key", "demo.key", "bank-sca.key", "log", "run")
_MADE_IN_CERTS = ("ca", "servers", "internal", "tpps", "trust.pem", "gateway-documents.key", "gateway-signing.key")


def remove_state(home: Home) -> None:
    """Remove databases, logs and run files; raises `AlreadyRunning`, or `HomeNotUsable` for a folder that is not ours."""
    if home.var.is_symlink() or not (home.run / "platform.lock").is_file():
        raise HomeNotUsable(f"no platform has ever run in {home.path}: there is nothing to remove")
    with RunFolder(home).claimed():
        for name in _MADE_IN_VAR:
            _remove(home.var / name)
            for companion in ("-wal", "-shm", "-journal"):
                (home.var / f"{name}{companion}").unlink(missing_ok=True)
    if not any(home.var.iterdir()):
        home.var.rmdir()


def remove_certificates(home: Home) -> None:
    """Remove every certificate and key that was generated; `profiles.toml` stays."""
    for name in _MADE_IN_CERTS:
        _remove(home.certs / name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
