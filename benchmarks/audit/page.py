"""The page of the audit, from its files alone: `python -m benchmarks.audit.page` rewrites it.

A test of the documents holds the committed page equal to what this makes of the committed CSV.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from math import inf, isinf, isnan
from pathlib import Path
from typing import Any

from actbench import registry
from actbench.analysis.accuracy import LEAST_WRONG
from actbench.model.names import Dtype, Quantity
from actbench.report.numbers import significant
from actbench.report.table import Table, markdown
from actbench.runs import files
from benchmarks.audit import calls
from benchmarks.audit.causes import causes
from benchmarks.audit.claims import CLAIMS
from benchmarks.audit.findings import IMPRECISE, QUANTITIES, Fault, Finding

RESULTS = Path(__file__).parents[2] / "results" / "audit"

WORDS = {
    Fault.NAN: "no finite number",
    Fault.ZERO: "0",
    Fault.WRONG: "1 % off",
    Fault.INFINITY: "not the limit",
    Fault.KINK: "beyond both slopes",
    Fault.IMPRECISE: "imprecise",
}
"""What tables call a fault."""

SHIPPED_BY = ("torch", "jax")

Rows = Mapping[tuple[str, str, str, str, str], dict[str, str]]
"""Rows of the CSV of accuracy by quantity, activation, backend, dtype and part, over whole tails and N(0, 1)."""


@dataclass(frozen=True)
class Audit:
    """What the files of an audit say."""

    about: Mapping[str, Any]
    findings: Sequence[Finding]
    rows: Rows

    @classmethod
    def read(cls, directory: Path) -> Audit:
        """Read the files of a directory."""
        with (directory / "findings.csv").open(encoding="utf-8") as file:
            findings = [_finding(row) for row in csv.DictReader(file)]
        rows: dict[tuple[str, str, str, str, str], dict[str, str]] = {}
        for quantity in QUANTITIES:
            with (directory / f"{quantity}.csv").open(encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    if (float(row["low"]), float(row["high"])) == (0.0, inf):
                        key = (row["of"], row["activation"], row["backend"], row["dtype"], row["part"])
                        rows.setdefault(key, row)
        about = json.loads((directory / "audit.json").read_text(encoding="utf-8"))
        return cls(about, findings, rows)

    @cached_property
    def dtypes(self) -> list[str]:
        """The dtypes of the audit."""
        return [dtype for dtype in Dtype if dtype in {key[3] for key in self.rows}]

    @cached_property
    def activations(self) -> dict[str, list[str]]:
        """The activations that a framework has, by framework."""
        names = {backend: {key[1] for key in self.rows if key[2] == backend} for backend in SHIPPED_BY}
        return {backend: sorted(of) for backend, of in names.items()}

    def in_words(self, dtypes: set[str]) -> str:
        """Return dtypes in words: `all` where there are no others."""
        return "all" if dtypes == {*self.dtypes} else ", ".join(dtype for dtype in self.dtypes if dtype in dtypes)

    def of(self, framework: str, activation: str, quantity: str) -> list[Finding]:
        """Return the findings about one function of a framework, the gravest first."""
        order = list(Fault)
        mine = [
            item
            for item in self.findings
            if (item.framework, item.activation, item.of) == (framework, activation, quantity)
        ]
        return sorted(mine, key=lambda item: (order.index(Fault(item.fault)), self.dtypes.index(item.dtype), item.tail))


def _finding(row: Mapping[str, str]) -> Finding:
    kinds = {"zones": int, "elements": int, "first": float, "last": float, "z": float, "result": float}
    return Finding(**{column.name: kinds.get(column.name, str)(row[column.name]) for column in fields(Finding)})


def text(directory: Path) -> str:
    """Return the page of the audit in a directory."""
    audit = Audit.read(directory)
    parts = [_introduction(audit), _claims(audit), _overview(audit)]
    parts += [section for framework in SHIPPED_BY for section in _of_framework(audit, framework)]
    parts += [_conventions(audit, quantity) for quantity in QUANTITIES]
    parts += [_errors(audit, quantity, dtype) for quantity in QUANTITIES for dtype in audit.dtypes]
    return "\n".join(parts)


def _introduction(audit: Audit) -> str:
    versions = audit.about["versions"]
    count = {framework: len(audit.activations[framework]) for framework in SHIPPED_BY}
    return f"""\
# What torch {versions["torch"]} and jax {versions["jax"]} return for their own activations

{count["torch"]} activations of torch and {count["jax"]} of jax, on the processor, in {", ".join(audit.dtypes)}: g' as \
autograd gives it for dy = 1, and y, compared with mpmath {versions["mpmath"]}. Processor: {audit.about["processor"]}; \
numpy {versions["numpy"]}, {versions["python"]}. [findings.csv](findings.csv), [derivative.csv](derivative.csv) and \
[forward.csv](forward.csv) have everything, and the page is made from them. `make audit` takes \
{audit.about["processor_seconds"]} s of processor time, in two processes; here, where others were at work, that took \
{audit.about["seconds"]} s.

A finding is one of these:

- **no finite number**, or **0**, where the truth is a normal number of the dtype;
- **1 % off**: by more than 1 % of the truth, away from its roots; in bfloat16, whose numbers are up to 0.8 % apart, \
by more than {LEAST_WRONG:g} ULP as well;
- **not the limit**: at -∞ or +∞, what comes out is not what the function tends to;
- **imprecise**: off by less than that, and by more than {IMPRECISE:g} eps of the dtype, away from roots; from and to \
are ends of bands.

In float16 and bfloat16, every number was evaluated; in float32 and float64, {audit.about["points"]} z a band and \
tail, and the ends of zones are exact, found by bisection. Each finding is shown by a call on one number in a fresh \
process, or, where the framework computes that otherwise, on an array; the output that is quoted is that of this very \
call. `right` is mpmath's. What is lost because subnormal numbers are flushed to 0 is no finding where the truth is \
subnormal.
"""


def _claims(audit: Audit) -> str:
    rows = []
    for claim in CLAIMS:
        mine = [item for item in audit.findings if claim.covers(item)]
        rows.append((claim.words, f"confirmed: {audit.in_words({item.dtype for item in mine})}" if mine else "refuted"))
    return markdown(Table("What was supposed of torch", "", ("supposed", "verdict"), tuple(rows), labels=2))


def _overview(audit: Audit) -> str:
    names = sorted({name for of in audit.activations.values() for name in of})
    columns = [(framework, quantity) for quantity in QUANTITIES for framework in SHIPPED_BY]
    rows = tuple(
        (name, *(_cell(audit, framework, name, quantity) for framework, quantity in columns)) for name in names
    )
    heads = tuple(f"{quantity.symbol}, {framework}" for framework, quantity in columns)
    note = "The findings about each function, with the dtypes that have them; - where there is no such function."
    return markdown(Table("Overview", note, ("activation", *heads), rows, labels=1 + len(columns)))


def _cell(audit: Audit, framework: str, name: str, quantity: Quantity) -> str:
    """Return the faults of a function, the gravest first, each with the dtypes that have it."""
    if name not in audit.activations[framework]:
        return "-"
    dtypes: dict[str, set[str]] = {}
    for item in audit.of(framework, name, quantity):
        dtypes.setdefault(item.fault, set()).add(item.dtype)
    if not dtypes:
        return "none"
    parts = [f"{WORDS[Fault(fault)]} ({audit.in_words(having)})" for fault, having in dtypes.items()]
    return f"[{'; '.join(parts)}](#{_anchor(framework, name, quantity)})"


def _anchor(framework: str, name: str, quantity: str) -> str:
    return f"{framework}-{name}-{quantity}"


def _of_framework(audit: Audit, framework: str) -> Iterator[str]:
    yield f"## {framework}\n"
    for name in audit.activations[framework]:
        for quantity in QUANTITIES:
            if mine := audit.of(framework, name, quantity):
                yield _section(framework, name, quantity, mine)


def _section(framework: str, name: str, quantity: Quantity, mine: Sequence[Finding]) -> str:
    call = registry.backends()[framework].ships(name)
    title = f"{'The gradient of' if quantity is Quantity.DERIVATIVE else 'The output of'} `{call}`"
    rows = tuple(map(_row, mine))
    columns = ("finding", "dtype", "from z", "to z", "at z", "comes out", "right")
    table = markdown(Table("", "", columns, rows, labels=2)).partition("\n\n")[2]
    shown = [_shown(item) for item in _examples(mine)]
    why = [f"{cause}\n" for cause in causes(mine)]
    anchor = f'<a id="{_anchor(framework, name, quantity)}"></a>\n'
    return "\n".join([f"### {title}\n", anchor, table, *why, *shown])


def _row(item: Finding) -> tuple[str, ...]:
    more = f" ({item.zones} zones)" if item.zones > 1 else ""
    ends = ("", "") if isinf(item.z) or item.fault == Fault.KINK else (_z(item, item.first), _z(item, item.last))
    array = f" in arrays of {item.elements}" if item.elements > 1 else ""
    return (
        WORDS[Fault(item.fault)] + more + array,
        item.dtype,
        *ends,
        _z(item, item.z),
        _plain(item.result),
        item.right,
    )


def _z(item: Finding, z: float) -> str:
    if isinf(z):
        return "-∞" if z < 0 else "+∞"
    return f"{float(calls.shortest(item, z)):.10g}"


def _plain(value: float) -> str:
    return "NaN" if isnan(value) else repr(value)


def _examples(mine: Iterable[Finding]) -> list[Finding]:
    """Return one finding of each fault to show, of float32 where it has that."""
    first: dict[str, Finding] = {}
    for item in sorted(mine, key=lambda item: item.dtype != "float32"):
        first.setdefault(item.fault, item)
    return list(first.values())


def _shown(item: Finding) -> str:
    return f"```python\n{calls.snippet(item)}\n# {_plain(item.result)}, right is {item.right}\n```\n"


def _conventions(audit: Audit, quantity: Quantity) -> str:
    rows = []
    for (of, name, backend, dtype, part), left in sorted(audit.rows.items()):
        if (of, dtype, part) == (quantity, "float32", "left"):
            right = audit.rows[of, name, backend, dtype, "right"]
            ends = (f"{end['at_infinity']} ({end['limit'] or 'unknown'})" for end in (left, right))
            kinks = "; ".join(filter(None, (left["kinks"], right["kinks"])))
            rows.append((name, backend, left["at_nan"], *ends, *((kinks,) if quantity is Quantity.DERIVATIVE else ())))
    columns = ("activation", "backend", "NaN", "-∞ (limit)", "+∞ (limit)")
    kinks_too = ("kinks",) if quantity is Quantity.DERIVATIVE else ()
    note = "numba-simd is actbench's own recompute."
    return markdown(
        Table(f"{quantity.symbol} at NaN, ±∞ and kinks, float32", note, (*columns, *kinks_too), tuple(rows), 2)
    )


def _errors(audit: Audit, quantity: Quantity, dtype: str) -> str:
    rows = []
    for of, name, backend, of_dtype, part in sorted(audit.rows):
        if (of, of_dtype, part) == (quantity, dtype, "normal"):
            normal, *tails = (audit.rows[of, name, backend, dtype, part] for part in ("normal", "left", "right"))
            rows.append(
                (
                    *(name, backend, _figure(normal["p99_ulp"]), _figure(normal["max_ulp"])),
                    *(cell for measure in ("ulp", "relative", "absolute") for cell in _worst(tails, measure)),
                )
            )
    columns = ("activation", "backend", "N: p99 ULP", "N: max ULP")
    largest = tuple(head for measure in ("ULP", "relative", "absolute") for head in (f"max {measure}", "at z"))
    note = "N: z from N(0, 1); the others over both tails. numba-simd is actbench's own recompute."
    return markdown(Table(f"Errors of {quantity.symbol}, {dtype}", note, (*columns, *largest), tuple(rows), 2))


def _worst(tails: Sequence[Mapping[str, str]], measure: str) -> tuple[str, str]:
    z = "worst_z" if measure == "ulp" else f"{measure}_z"
    worst = max(tails, key=lambda row: float(row[f"max_{measure}"]))
    size = float(worst[f"max_{measure}"])
    return _figure(worst[f"max_{measure}"]), significant(float(worst[z]), 4) if size else ""


def _figure(value: str) -> str:
    return significant(float(value), 2) if value else "-"


def main() -> None:
    """Rewrite the committed page."""
    files.replace(RESULTS / "summary.md", text(RESULTS))


if __name__ == "__main__":
    main()
