"""Rewrite runs in which blocks share a yardstick, as they once did: what was measured stays to the last bit.

python -m benchmarks.migrate results/reference ...
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import msgspec

from actbench.model.calibration import Calibration
from actbench.model.outcomes import BlockTimes
from actbench.model.times import Times
from actbench.report import tables_csv
from actbench.report.results import analyse
from actbench.runs import archive, files, values
from actbench.runs.names import CASES, RUN, VALUES
from actbench.runs.record import SCHEMA, Record, of_text
from actbench.runs.writer import Writer


def read(directory: Path) -> Writer:
    """Return a run without probes, of which each section of values.csv is as it was measured."""
    record = msgspec.json.decode((directory / RUN).read_bytes(), type=Record, dec_hook=of_text)
    assert record.schema == SCHEMA, f"{directory} is of schema {record.schema}"
    header, *_ = lines = (directory / VALUES).read_bytes().splitlines(keepends=True)
    columns = header.decode().strip().split(",")
    finished = []
    for section in values.sections(record.plan.blocks, record.calibrations, record.digests):
        rows = lines[section.lines]
        assert values.digest(b"".join(rows)) == section.digest, f"{directory}, line {section.lines.start + 1}"
        cells = [dict(zip(columns, row.decode().strip().split(","), strict=True)) for row in rows]
        seconds, processor = (
            _by_arm([float(row.get(name, "0")) for row in cells], section.calibration) for name in values.MEASURED
        )
        known = any(map(any, processor))
        finished.append(BlockTimes(section.block, section.round, seconds, processor if known else ()))
    return Writer(directory, record, Times(record.plan, finished), metadata={})


def _by_arm(column: list[float], calibration: Calibration) -> tuple[tuple[float, ...], ...]:
    cells = iter(column)
    return tuple(tuple(islice(cells, count)) for count in calibration.values)


def main() -> None:
    """Rewrite each run, with its yardsticks in cases.csv, and read it to see that it is whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    for directory in parser.parse_args().runs:
        writer = read(directory)
        writer.save()
        files.replace(directory / CASES, tables_csv.cases(analyse(writer.times, writer.record).figures))
        run = archive.load(directory)
        assert [*run.times.finished()] == [*writer.times.finished()]
        print(f"{directory}: {sum(map(len, writer.record.digests.values()))} sections")


if __name__ == "__main__":
    main()
