"""`make bench-predictions`: how good predictions are on real and on invented feedback, and what training and
serving cost.

`--parts quality truth training serving` (all by default). `quality` needs the Druglib.com reviews (docs/import.md says
where they come from): the folder with train.tsv and test.tsv in DRUGLIB. Exit code 1 when a figure is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from rich.console import Console

from benchmarks import prediction_quality, prediction_serving, prediction_training, prediction_truth

# Each prints its tables and says of every figure whether it was reached.
PARTS: dict[str, Callable[[Console], dict[str, bool]]] = {
    "quality": prediction_quality.measure,
    "truth": prediction_truth.measure,
    "training": prediction_training.measure,
    "serving": prediction_serving.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    console = Console(width=110)
    figures: dict[str, bool] = {}
    for part in parser.parse_args().parts:
        figures |= PARTS[part](console)
    missed = [name for name, reached in figures.items() if not reached]
    if not figures:
        console.print("Nothing was measured.")
        return 1
    verdict = f"MISSED: {'; '.join(missed)}" if missed else f"All {len(figures)} figures reached"
    console.print(f"{verdict} ({os.cpu_count()} cores).")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
