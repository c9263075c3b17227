"""Give runs of schema 1 the digests that schema 2 has: whatever they hold now counts as measured.

python -m benchmarks.migrate results/reference ...
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

import msgspec

from actbench.runs import archive, record, values
from actbench.runs.record import SCHEMA, Record


def migrated(directory: Path) -> Record:
    """Return the record with the digests of its values, as they lie in the file: by round, then by block."""
    path = directory / archive.RUN
    of = msgspec.json.decode(path.read_bytes(), type=Record)
    assert of.schema == SCHEMA - 1, f"{path} is of schema {of.schema}"
    blocks = {values.OF_CASE(case): block.id for block in of.plan.blocks for case in block.cases}
    data = (directory / archive.VALUES).read_bytes()
    for row in csv.DictReader(io.StringIO(data.decode())):
        case = (*(row[name] for name in values.NAMES), int(row["size"]))
        if case in blocks:  # yardsticks belong to several
            of.digests.setdefault(blocks[case], {})[int(row["round"])] = ""
    for part in values.parts(data, of.plan.blocks, of.calibrations, of.digests):
        of.digests[part.block.id][part.round] = values.digest(data[part.begin : part.end])
    of.schema = SCHEMA
    return of


def main() -> None:
    """Write each run.json anew, and read the run to see that it is whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    for directory in parser.parse_args().runs:
        of = migrated(directory)
        (directory / archive.RUN).write_bytes(record.encode(of))
        archive.load(directory)
        print(f"{directory}: {sum(map(len, of.digests.values()))} digests")


if __name__ == "__main__":
    main()
