"""sslyze against the TLS of the edge and the front, judged by Mozilla's intermediate profile. By hand, not part of the tests.

`python -m benchmarks.tls_scan` starts an edge of its own and makes an environment for sslyze, which pins older libraries,
in a temporary folder; with `HOST:PORT …` it scans these instead, which have to be yours.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from contextlib import ExitStack
from pathlib import Path

from tests.support.edge import running_edge

_SCANNER = "sslyze==6.3.1"
_INSTALL_SECONDS = 600
_SCAN_SECONDS = 300


def _scanner(folder: Path) -> Path:
    """Install sslyze there; returns the interpreter that has it."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _SCANNER]
    subprocess.run(command, check=True, timeout=_INSTALL_SECONDS)
    return python


def _scan(python: Path, addresses: list[str]) -> int:
    """Print what sslyze says; returns its verdict, 0 where all addresses keep to the profile.

    Of a certificate that no browser's authority has issued it says so, and that it keeps to the profile it never says.
    """
    command = [str(python), "-m", "sslyze", "--mozilla_config=intermediate", *addresses]
    return subprocess.run(command, check=False, timeout=_SCAN_SECONDS).returncode


def main() -> int:
    """Scan what the command line names, or an edge of our own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        python = _scanner(folder / "scanner")
        addresses = sys.argv[1:]
        if not addresses:
            edge = stack.enter_context(running_edge(folder / "edge"))
            addresses = [f"localhost:{port}" for port in (edge.ports.edge, edge.ports.front)]
        return _scan(python, addresses)


if __name__ == "__main__":
    sys.exit(main())
