"""Put what a sweep says into README.md, between its two marks.

    python -m benchmarks.readme_sweep [RUN]

RUN is the directory of a run, by default results/sweep, as made by `actbench run --preset sweep -o results/sweep`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from actbench.analysis.crossovers import curves
from actbench.analysis.speedups import ratios
from actbench.report.crossovers import sentences
from actbench.runs.archive import load

README = Path(__file__).parents[1] / "README.md"

BEGIN = "<!-- begin: python -m benchmarks.readme_sweep -->\n"
END = "<!-- end -->\n"


def block(directory: Path) -> str:
    """Return what stands between the marks: a sentence a curve, as the run's summary has them."""
    times = load(directory).times
    series = list(curves(ratios(times, times.blocks)))
    return "".join(["```text\n", *(f"{line}\n" for line in sentences(series)), "```\n"])


def main() -> None:
    """Rewrite README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", type=Path, default=Path("results", "sweep"))
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(before + BEGIN + block(parser.parse_args().run) + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
