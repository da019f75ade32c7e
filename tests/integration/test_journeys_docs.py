"""The example of docs/tpp-client.md runs as it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.tpps import fresh_number

if TYPE_CHECKING:
    from tests.support.platform import RunningPlatform

ROOT = Path(__file__).parents[2]


def test_the_librarys_example_prints_accounts(platform: RunningPlatform, tmp_path: Path) -> None:
    """Pasted into a file and run in the platform's folder, as a reader would."""
    platform.register("demo", fresh_number(), roles="AISP")
    text = (ROOT / "docs" / "tpp-client.md").read_text()
    script = tmp_path / "example.py"
    script.write_text(text.split("```python\n")[1].split("```")[0])

    done = subprocess.run(
        [sys.executable, str(script)], cwd=platform.home.path, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" EUR ") >= 2
