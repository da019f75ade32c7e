"""Prints the part of requirements.lock, hashes included, that the servers need: no test or lint tool goes into the image.

`python docker/runtime_requirements.py [--without-hashes]`, standard library only: it runs before anything is installed.
"""  # noqa: INP001 - a script of the image's build, no package

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_PROJECT, _EXTRA = "psd2-sandbox", "postgres"


def runtime_names(lock: dict[str, Any]) -> set[str]:
    """Return the packages that the project with its PostgreSQL extra leads to, on any platform."""
    packages = {package["name"]: package for package in lock["package"]}
    found: set[str] = set()
    waiting = [(_PROJECT, frozenset({_EXTRA}))]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        found.add(name)
        package = packages[name]
        optional = package.get("optional-dependencies", {})
        wanted = package.get("dependencies", []) + [each for extra in extras for each in optional.get(extra, [])]
        steps = {(each["name"], frozenset(each.get("extra", ()))) for each in wanted}
        waiting += steps - seen
        seen |= steps
    return found - {_PROJECT}


def blocks(requirements: str) -> dict[str, str]:
    """Return each requirement with its hashes, by name."""
    whole = requirements.replace("\\\n", "\\\0").splitlines()
    return {line.partition("==")[0].partition("[")[0].strip(): line.replace("\\\0", "\\\n") for line in whole if "==" in line}


def main() -> None:
    """Print them; a package that the lock does not pin ends the build."""
    names = runtime_names(tomllib.loads((_ROOT / "uv.lock").read_text("utf-8")))
    pinned = blocks((_ROOT / "requirements.lock").read_text("utf-8"))
    missing = sorted(names - pinned.keys())
    if missing:
        sys.exit(f"requirements.lock pins no {', '.join(missing)}: run make lock")
    chosen = [pinned[name] for name in sorted(names)]
    if "--without-hashes" in sys.argv[1:]:  # for wheels built here: their hashes are nobody else's
        chosen = [each.partition(" \\\n")[0] for each in chosen]
    sys.stdout.write("\n".join(chosen) + "\n")


if __name__ == "__main__":
    main()
