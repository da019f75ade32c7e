"""Whether a request costs the same however much there is: connections, deployments, tokens; as ratios to the least.

`python -m benchmarks.flatness [MOST_CONNECTIONS]`. Connections and deployments on a running edge before a bank that answers
at once, by its CPU time a request, in turns with nginx; tokens by the time of a look-up in a worker's memory.
"""

from __future__ import annotations

import hashlib
import signal
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.edge import Bench, Target, end, running, second_edge
from benchmarks.nginx import instant_bank
from benchmarks.peers import nginx
from gateway.admission.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS: Final = 2
_DEPLOYMENTS: Final = 1_000
_TOKENS: Final = 1_000_000
_LOOK_UPS: Final = 20_000
_DEPLOYMENT: Final = """
[deployments.flat-{number:04}]
listener = "edge"
upstream = "bank"
mtls = "required"
errors = "problem"

[[deployments.flat-{number:04}.routes]]
path = "/flat/{number}/{{thing}}"
methods = ["GET"]
"""


def _cost(bench: Bench, target: Target, yardstick: Target, connections: int) -> float:
    """Return what a request costs, in requests of nginx over 32 connections measured beside it."""
    ratios = [
        bench.measure(target, connections=connections).cpu_microseconds / bench.measure(yardstick).cpu_microseconds
        for _ in range(_ROUNDS)
    ]
    return statistics.median(ratios)


def _look_up_seconds(count: int) -> float:
    """Return the least time of a look-up among `count` tokens, each asked for by its bearer."""
    keys = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(count)]
    memory: Memory[str] = Memory(lambda key: key, most=count)
    for key in keys:
        memory._remember(key, key)  # noqa: SLF001 - as if each had been looked up
    asked = [keys[number * 7_919 % count] for number in range(_LOOK_UPS)]
    return min(_timed(lambda: [memory.known(key) for key in asked]) for _ in range(5)) / _LOOK_UPS


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _told(what: str, sizes: list[int], costs: list[float]) -> None:
    told = ", ".join(f"{size:,}: {cost / costs[0]:.2f}" for size, cost in zip(sizes, costs, strict=True))
    print(f"{what}: {told}", flush=True)


def _measure(bench: Bench, stack: ExitStack, sizes: list[int]) -> None:
    base = bench.base + 40
    bank = instant_bank(bench.home / "bank", certs=bench.home / "certs", port=base + 20, body=bench.body())
    stack.callback(bank.stop)
    yardstick = running(bench, stack, "nginx", nginx, port=base + 21, upstream_port=base + 20)
    process = second_edge(bench, base=base, bank_port=base + 20)
    stack.callback(end, process)
    edge = Target("edge", base + 3, process.pid)
    costs = [_cost(bench, edge, yardstick, connections) for connections in sizes]
    _told("connections", sizes, costs)
    few = _cost(bench, edge, yardstick, sizes[0])
    # Last: the documents stand in the database, for the edge that is measured already as well.
    documents = bench.home / "deployments.toml"
    documents.write_text("".join(_DEPLOYMENT.format(number=number) for number in range(_DEPLOYMENTS)))
    other = second_edge(bench, base=base + 40, bank_port=base + 20, configuration=documents)
    stack.callback(end, other)
    many = _cost(bench, Target("edge, many deployments", base + 43, other.pid), yardstick, sizes[0])
    _told("deployments", [1, _DEPLOYMENTS], [few, many])


def main() -> None:
    """Measure and print; needs nginx."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that what was started is ended too
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    sizes = [size for size in (10, 100, 1_000, 10_000) if size <= most]
    told = ", ".join(f"{count:,}: {_look_up_seconds(count) * 1e9:.0f} ns" for count in (1, 1_000, _TOKENS))
    print(f"tokens, a look-up: {told}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        home.chmod(0o755)
        bench = Bench(home)
        stack.callback(bench.stop)
        bench.start()
        _measure(bench, stack, sizes)


if __name__ == "__main__":
    main()
