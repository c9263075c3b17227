"""Run the audit: `python -m benchmarks.audit`."""

from __future__ import annotations

import argparse
import csv
import io
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

from actbench.errors import ActbenchError
from actbench.host import environment
from actbench.model.names import Dtype
from actbench.model.training import SHIPPED
from actbench.report.accuracy import as_csv
from actbench.runs import files
from benchmarks.audit import calls, page, surveys
from benchmarks.audit.findings import QUANTITIES, Finding, findings


def as_text(rows: Sequence[Finding]) -> str:
    """Return findings in CSV, numbers in full."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [column.name for column in fields(Finding)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(asdict, rows))
    return text.getvalue()


def processor_seconds() -> float:
    """Return the processor time of this process and of those that it started."""
    uses = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def main() -> None:
    """Survey, call, and write; exit code 1 where a finding is not shown by a call."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-a", "--activations", default="", help="default: all")
    parser.add_argument("-d", "--dtypes", default=",".join(Dtype), help="default: all")
    parser.add_argument("-o", "--output", type=Path, default=page.RESULTS)
    options = parser.parse_args()
    start = time.monotonic()
    try:
        accuracies = surveys.all_surveyed(
            tuple(filter(None, options.activations.split(","))), options.dtypes.split(",")
        )
    except ActbenchError as error:
        sys.exit(f"audit: {error}")
    supposed = [finding for item in accuracies if item.kernel.strategy == SHIPPED for finding in findings(item)]
    right, not_shown = calls.shown(supposed)
    seconds = time.monotonic() - start
    here = environment.collect(None, further=("torch", "jax", "jaxlib"))
    about = {
        "versions": {"python": here.python, "actbench": here.actbench} | here.libraries,
        "processor": here.cpu_model,
        "points": surveys.POINTS,
        "seconds": round(seconds),
        "processor_seconds": round(processor_seconds()),
    }
    options.output.mkdir(parents=True, exist_ok=True)
    for quantity in QUANTITIES:
        part = [item for item in accuracies if item.quantity is quantity]
        files.replace(options.output / f"{quantity}.csv", as_csv([replace(item, bands=()) for item in part]))
    files.replace(options.output / "findings.csv", as_text(right))
    files.replace(options.output / "audit.json", f"{json.dumps(about, indent=2)}\n")
    files.replace(options.output / "summary.md", page.text(options.output))
    print(f"{len(right)} findings in {seconds:.0f} s")
    for item in not_shown:
        print(f"not shown by a call: {item}", file=sys.stderr)
    sys.exit(1 if not_shown else 0)


if __name__ == "__main__":
    main()
