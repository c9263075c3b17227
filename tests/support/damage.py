"""What the tests of damaged runs share: how a run is refused, and the journal as the run would go on with it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from actbench.model.outcomes import BlockTimes
from actbench.runs import archive, journal, record, values
from actbench.runs.names import PROBES, RUN, VALUES
from tests.conftest import Actbench


def refused(actbench: Actbench, path: Path) -> str:
    """Return the one sentence with which a run is refused."""
    result = actbench("compare", str(path))
    assert result.exit_code == 2, result.exception
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("actbench: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def finished_round(number: int, loaded: archive.Run) -> list[BlockTimes]:
    """Return blocks as if measured in another round."""
    return [BlockTimes(times.block, number, times.seconds) for times in loaded.times.finished() if times.round == 1]


def journal_line(run: Path, times: BlockTimes, number: int = 1) -> bytes:
    """Return a line of the journal as the run would write it now."""
    return journal.line(archive.read_record(run), number, times)


def resealed(run: Path) -> None:
    """Give a run that was edited by hand the digests of what it holds now."""
    of = msgspec.json.decode((run / RUN).read_bytes(), type=record.Record, dec_hook=record.of_text)
    for name, blocks in ((VALUES, of.plan.blocks), (PROBES, of.plan.probes)):
        lines = (run / name).read_bytes().splitlines(keepends=True) if (run / name).exists() else []
        for section in values.sections(blocks, of.calibrations, of.digests):
            of.digests[section.block.id][section.round] = values.digest(b"".join(lines[section.lines]))
    (run / RUN).write_bytes(record.encode(of))
