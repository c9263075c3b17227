"""Two runs of two hosts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.compared import CACHED, NEW, NOTE, OLD, RECOMPUTE, figures, on_another_host, scaled
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import SMALL

TWO_HOSTS = f"""\
### Times, two hosts: baseline / candidate

Times in copies, over that of the block's yardstick, and their ratio: above 1 the candidate, the second run, is \
faster. A yardstick that behaves differently on the other host shifts all cases of its block equally. {NOTE}

| case | finding | baseline | candidate | ratio | rounds |
| --- | --- | ---: | ---: | ---: | ---: |
| {RECOMPUTE} | undecided | 8.00 ± 0.00 | 8.00 ± 0.00 | 1.00 ± 0.00 ≈ | 6, 6 |
| {CACHED} | faster | 2.00 ± 0.00 | 1.60 ± 0.00 | 1.25 ± 0.00 | 6, 6 |
| geometric mean of 2 cases | faster | 4.00 ± 0.00 | 3.58 ± 0.00 | 1.12 ± 0.00 | 6, 6 |

### Speedups, two hosts: candidate / baseline

Times faster than the reference strategy in the same block on the same backend, and their ratio: above 1 it is worth \
more in the candidate, the second run. {NOTE}

| case | speedup | finding | baseline | candidate | ratio | rounds |
| --- | --- | --- | ---: | ---: | ---: | ---: |
| {CACHED} | cached / recompute | larger | 4.00 ± 0.00 | 5.00 ± 0.00 | 1.25 ± 0.00 | 6, 6 |

- two hosts, so seconds are not compared, only what was measured side by side (cpu model Abacus 3000 against """


def test_two_hosts_share_times_in_copies_and_speedups_but_no_seconds(old_and_new: Actbench) -> None:
    on_another_host(OLD)
    result = old_and_new("compare", OLD, NEW, "--format", "markdown")
    assert result.exit_code == 0
    assert TWO_HOSTS in result.stdout
    assert all(figure["seconds_ratio"] is None for figure in figures(old_and_new, OLD, NEW))
    assert json.loads(old_and_new("compare", OLD, NEW, "--format", "json").stdout)["basis"] == "two hosts"


def test_a_host_that_is_faster_throughout_is_no_difference(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = lambda case: exact_seconds(case) / 7
    actbench("run", *SMALL, "-o", NEW)
    on_another_host(NEW)
    assert [figure["ratio"] for figure in figures(actbench, OLD, NEW)] == pytest.approx([1.0] * 4)


def test_a_quick_copy_moves_times_but_no_speedup(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = scaled(yardstick=0.5)
    actbench("run", *SMALL, "-o", NEW)
    on_another_host(NEW)
    findings = [(figure["figure"], figure["finding"], figure["ratio"]) for figure in figures(actbench, OLD, NEW)]
    assert findings == [
        *[("time", "slower", pytest.approx(0.5))] * 3,
        ("cached / recompute", "undecided", pytest.approx(1.0)),
    ]


def test_caches_of_another_size_make_another_host(old_and_new: Actbench) -> None:
    record = json.loads(Path(OLD, "run.json").read_text())
    record["environment"]["caches"] = {"L1d": 32768, "L2": 1048576}
    Path(OLD, "run.json").write_text(json.dumps(record))
    assert "caches L1d 32 KiB, L2 1024 KiB against " in old_and_new("compare", OLD, NEW).stdout
