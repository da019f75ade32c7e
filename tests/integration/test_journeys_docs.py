"""The examples of docs/tpp-client.md run as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.tpps import fresh_number

if TYPE_CHECKING:
    from tests.support.platform import RunningPlatform

ROOT = Path(__file__).parents[2]


def run_example(platform: RunningPlatform, number: int, script: Path) -> str:
    """Paste an example into a file and run it in the platform's folder, as a reader would; returns what it prints."""
    text = (ROOT / "docs" / "tpp-client.md").read_text()
    script.write_text(text.split("```python\n")[number].split("```")[0])
    done = subprocess.run(
        [sys.executable, str(script)], cwd=platform.home.path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_librarys_examples_run(platform: RunningPlatform, tmp_path: Path) -> None:
    """The first prints accounts; the second signs a basket, and what was in it is paid on its day."""
    platform.register("demo", fresh_number(), roles="AISP,PISP")

    accounts = run_example(platform, 1, tmp_path / "accounts.py")
    paid = run_example(platform, 2, tmp_path / "basket.py")

    assert accounts.count(" EUR ") >= 2
    assert "basket ACTC" in paid
    assert "lunch ACCC" in paid
