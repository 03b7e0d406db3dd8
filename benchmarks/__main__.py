"""``python -m benchmarks NAME [--small] [--json]``."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import DEFAULT_DATA, Comparison, Options, machine, note
from tosg.errors import TosgError

NAMES = (
    "load",
    "merge",
    "scale",
    "curves",
    "parse",
    "read",
    "export",
    "neighbors",
    "batches",
    "loaders",
    "compressed",
    "embed",
    "dashboard",
)


def main() -> int:
    """Run one benchmark and print its comparisons; returns the exit code."""
    arguments = _parser().parse_args()
    data = arguments.data or (DEFAULT_DATA if DEFAULT_DATA.is_dir() else None)
    options = Options(
        small=arguments.small,
        data=data,
        home=(arguments.home / ("small" if arguments.small else "full")).absolute(),
        repeat=arguments.repeat,
        share=arguments.share,
        only=tuple(arguments.only),
    )
    if arguments.seed is not None:
        options = replace(options, seed=arguments.seed)
    options.home.mkdir(parents=True, exist_ok=True)
    benchmark = importlib.import_module(f"benchmarks.{arguments.name}")
    try:
        comparisons: list[Comparison] = benchmark.run(options)
    except TosgError as error:
        note(f"error: {error}")
        return error.exit_code
    if arguments.json:
        print(json.dumps(_document(arguments.name, options, comparisons), indent=2))
    else:
        for c in comparisons:
            print(
                f"{c.name:<20} ours {c.ours:>12.3f} {c.unit:<8} "
                f"peer {c.peer:>12.3f} {c.unit:<8} ratio {c.ratio:>8.2f}"
            )
    return 0


def _document(name: str, options: Options, comparisons: list[Comparison]) -> dict[str, object]:
    return {
        "benchmark": name,
        "machine": machine(),
        "small": options.small,
        "comparisons": [
            {
                "name": c.name,
                "ours": round(c.ours, 4),
                "peer": round(c.peer, 4),
                "unit": c.unit,
                "ratio": round(c.ratio, 3),
            }
            for c in comparisons
        ],
        "details": {c.name: c.detail for c in comparisons if c.detail},
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--small", action="store_true", help="a smoke run on a small graph")
    parser.add_argument("--data", type=Path, help="folder with the shared data")
    parser.add_argument(
        "--home", type=Path, default=Options.home, help="folder of the benchmarks' own server"
    )
    parser.add_argument("--seed", type=int)
    parser.add_argument("--repeat", type=int, default=1, help="runs of each side; the best counts")
    parser.add_argument(
        "--share", type=float, default=1.0, help="part of the sizes of `scale` and `curves`"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="PART",
        help="parts of `scale`, whose graph is kept, of `curves` or `loaders`",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
