"""The call that shows a finding, as a user writes it, and what it prints in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import compress, islice
from math import isinf
from operator import not_

from actbench import registry
from actbench.model.number_formats import numpy_dtype
from benchmarks.audit.findings import Finding, candidates

PREAMBLE = {
    "torch": "import torch",
    "jax": "import jax",
}
"""What a call imports, by framework."""

WIDE = 'jax.config.update("jax_enable_x64", True)'
"""What float64 needs in jax."""

RUNNER = """\
import contextlib, io, json, sys
for code in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {})
    print(json.dumps(printed.getvalue()))
"""
"""A process that executes what this module wrote, and prints what that printed."""


def snippet(finding: Finding) -> str:
    """Return the lines of Python that show a finding: imports, z, and the call."""
    number = f'float("{finding.z}")' if isinf(finding.z) else shortest(finding, finding.z)
    call = registry.backends()[finding.framework].ships(finding.activation)
    assert call is not None
    if finding.framework == "torch":
        lines = [PREAMBLE["torch"], *_torch(call, number, finding)]
    else:
        lines = [PREAMBLE["jax"], *([WIDE] if finding.dtype == "float64" else []), *_jax(call, number, finding)]
    return "\n".join(lines)


def shortest(finding: Finding, z: float) -> str:
    """Return a z in the fewest digits that the dtype tells from others."""
    return repr(float(str(numpy_dtype(finding.dtype).type(z))))


def _torch(call: str, number: str, finding: Finding) -> Sequence[str]:
    dtype = f"dtype=torch.{finding.dtype}"
    many = finding.elements > 1
    made = f"torch.full(({finding.elements},), {number}, {dtype}" if many else f"torch.tensor({number}, {dtype}"
    first = "[0]" if many else ""
    if finding.of == "forward":
        return f"z = {made})", f"print({call}{first}.item())"
    y = f"{call}.sum()" if many else call
    return f"z = {made}, requires_grad=True)", f"print(torch.autograd.grad({y}, z)[0]{first}.item())"


def _jax(call: str, number: str, finding: Finding) -> Sequence[str]:
    name, _, arguments = call.partition("(")
    many = finding.elements > 1
    made = f"jax.numpy.full({finding.elements}, {number}" if many else f"jax.numpy.array({number}"
    first = "[0]" if many else ""
    if finding.of == "forward":
        return f'z = {made}, "{finding.dtype}")', f"print(float({call}{first}))"
    function = f"lambda z: {call}.sum()" if many else name if arguments == "z)" else f"lambda z: {call}"
    return f'z = {made}, "{finding.dtype}")', f"print(float(jax.grad({function})(z){first}))"


def shown(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Return the findings as calls show them, on one number or else on an array, and those that none shows."""
    tried = [candidates(finding) for finding in findings]
    results = called([first for first, *_ in tried])
    hidden = [number for number, result in enumerate(results) if not result.shows(result.result)]
    further = iter(called([place for number in hidden for place in tried[number][1:]]))
    for number in hidden:
        others = list(islice(further, len(tried[number]) - 1))
        results[number] = next((place for place in others if place.shows(place.result)), results[number])
    right = [result.shows(result.result) for result in results]
    return [*compress(results, right)], [*compress(results, map(not_, right))]


def called(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings with what their calls print: one process for each framework, and one for jax's float64."""
    groups: dict[tuple[str, bool], list[int]] = {}
    for number, finding in enumerate(findings):
        groups.setdefault((finding.framework, finding.dtype == "float64"), []).append(number)
    printed: dict[int, float] = {}
    with ThreadPoolExecutor() as pool:
        results = pool.map(_printed, ([findings[number] for number in group] for group in groups.values()))
        for group, result in zip(groups.values(), results, strict=True):
            printed |= dict(zip(group, result, strict=True))
    return [replace(finding, result=printed[number]) for number, finding in enumerate(findings)]


def _printed(group: Sequence[Finding]) -> list[float]:
    codes = json.dumps([snippet(finding) for finding in group])
    done = subprocess.run([sys.executable, "-c", RUNNER], input=codes, text=True, capture_output=True, check=True)
    return [float(json.loads(line)) for line in done.stdout.splitlines()]
