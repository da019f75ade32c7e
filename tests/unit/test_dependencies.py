"""What the product imports stands in pyproject.toml: else it runs where somebody has installed it by hand, and nowhere else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PRODUCT = ("psd2", "chassis", "sandbox", "gateway", "bank_backend", "tpp_client")


def test_every_import_of_the_product_is_declared() -> None:
    """By the name of what is installed, directly: what a dependency brings along may leave with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [each for group in project["optional-dependencies"].values() for each in group]
    declared = {_normal(re.split(r"[\[<>=!~; ]", each)[0]) for each in (*project["dependencies"], *extras)}
    providers = packages_distributions()
    undeclared = {
        f"{module} ({path.relative_to(ROOT)})"
        for path, module in _imports()
        if not {_normal(name) for name in providers.get(module, [module])} & declared
    }
    assert undeclared == set()


def _imports() -> Iterator[tuple[Path, str]]:
    """Give each module of others that the product imports, with a file that does."""
    own = {*PRODUCT, *sys.stdlib_module_names}
    for package in PRODUCT:
        for path in (ROOT / package).rglob("*.py"):
            for module in _modules(ast.parse(path.read_text())):
                if module not in own:
                    yield path, module


def _modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
