"""What all our browser pages share: the look (style sheets, mark, htmx) and the charts. Apps serve `FOLDER` under /look/."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
