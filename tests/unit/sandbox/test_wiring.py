"""What the operator's side is wired from: a command that never shows a page loads none."""

from __future__ import annotations

import subprocess
import sys

_LOADED = """
import sys, sandbox.bootstrap
print(*(name for name in sys.modules if name.startswith(("sandbox.portal", "flask"))))
"""


def test_the_domain_does_without_the_portal() -> None:
    """Nor does it need the web framework."""
    done = subprocess.run([sys.executable, "-c", _LOADED], check=True, capture_output=True, text=True, timeout=60)

    assert done.stdout.split() == []
