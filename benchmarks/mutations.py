"""The mutants of `benchmarks.mutants`, and which tests hold each file."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """A change of one expression, which stands once in the file."""

    file: str
    original: str
    mutated: str


STATISTICS = "actbench/analysis/statistics.py"
SEQUENTIAL = "actbench/analysis/sequential.py"
SPEEDUPS = "actbench/analysis/speedups.py"
INTERVAL = "actbench/analysis/interval.py"
REGRESSION = "actbench/analysis/regression.py"
LIVE = "actbench/analysis/check_live.py"
STORED = "actbench/analysis/check_stored.py"
ALLOWANCE = "actbench/verification/allowance.py"
FLAWS = "actbench/verification/flaws.py"
EXAMINATION = "actbench/verification/examination.py"
ORACLE = "actbench/verification/oracle.py"
BANDS = "actbench/verification/bands.py"
CALLS = "actbench/verification/calls.py"
ELEMENTS = "actbench/verification/elements.py"
KEPT = "actbench/verification/kept.py"
CAUSES = "actbench/verification/causes.py"
TRUTH = "actbench/verification/truth/__init__.py"
ARCHIVE = "actbench/runs/archive.py"
BASELINE = "actbench/runs/baseline.py"
FILES = "actbench/runs/files.py"
JOURNAL = "actbench/runs/journal.py"
RECORD = "actbench/runs/record.py"
VALUES = "actbench/runs/values.py"
WRITER = "actbench/runs/writer.py"
SUITE = "actbench/planning/suite.py"
RESOLVED = "actbench/planning/resolved.py"
COSTS = "actbench/planning/costs.py"
INPUTS = "actbench/model/inputs.py"
DRAWING = "actbench/kernels/drawing.py"
SUITABILITY = "actbench/kernels/suitability.py"


def _unit(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/unit/test_{name}.py" for name in names)


def _numerics(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/numerics/test_{name}.py" for name in names)


_VERIFICATION = _numerics("oracle_weaknesses", "residual_dtype", "refusal", "behaviour", "diagnosis", "oracle")
_DISK = _unit(
    "archive", "publishable", "damaged_record", "journal", "files", "resume", "output_directory", "regular_files"
)
_INPUTS = (*_unit("inputs_option", "inputs_of_runs"), *_numerics("drawing"))
_PLANNING = _unit("suite", "presets", "overhead_plan", "dry_run", "residual_names", "overhead_tables")

TESTS: dict[str, tuple[str, ...]] = {
    STATISTICS: _unit(
        *(
            "medians",
            "statistics",
            "speedups",
            "regression",
            "between",
            "crossovers",
            "compare_cases",
            "compare_runs",
            "check",
        ),
    ),
    SEQUENTIAL: _unit("sequential", "regression", "live_check", "selfcheck"),
    INTERVAL: _unit("verdict_rule", "speedups", "stopping", "numbers", "run", "run_rounds"),
    SPEEDUPS: _unit("speedups", "statistics", "stopping", "run", "run_rounds", "regression"),
    REGRESSION: _unit(
        "verdict_rule", "regression", "check", "live_check", "live_check_environments", "verdict_formats"
    ),
    LIVE: _unit("regression", "verdict_rule", "live_check", "live_check_environments", "live_check_files"),
    STORED: _unit("regression", "check", "check_yardstick", "verdict_formats"),
    ALLOWANCE: _VERIFICATION,
    FLAWS: (*_VERIFICATION, *_numerics("rows", "gated")),
    EXAMINATION: _VERIFICATION,
    ORACLE: (*_numerics("oracle_truth", "truth_unknown"), *_VERIFICATION),
    BANDS: _numerics("oracle_weaknesses", "narrow_dtypes"),
    CALLS: (*_numerics("behaviour", "behaviour_honest", "oracle_calls"), *_unit("sweep")),
    ELEMENTS: (*_numerics("behaviour", "behaviour_honest", "residual_dtype"), *_unit("sweep")),
    KEPT: _numerics("residual_dtype", "sixteen_bits", "residual_arrays"),
    CAUSES: _numerics("diagnosis", "refusal", "oracle_weaknesses"),
    TRUTH: (*_numerics("oracle_truth", "truth", "truth_unknown", "differences"), *_VERIFICATION),
    ARCHIVE: (*_DISK, *_unit("pyperf_suite", "loading_mistakes", "latest")),
    BASELINE: _unit("check", "compare_runs", "compare_hosts", "compare_refused"),
    FILES: _DISK,
    JOURNAL: _DISK,
    RECORD: _DISK,
    VALUES: _DISK,
    WRITER: (*_unit("run", "latest"), *_DISK),
    SUITE: _PLANNING,
    RESOLVED: _PLANNING,
    COSTS: (*_unit("suite", "presets", "run", "dry_run"), *_numerics("traffic", "residual_arrays")),
    INPUTS: _INPUTS,
    DRAWING: _INPUTS,
    SUITABILITY: _INPUTS,
}
"""By file, the tests of its module and of those that import it, quick ones first."""

MUTANTS = (
    # statistics
    Mutant(STATISTICS, "MIN_ROUNDS = 6", "MIN_ROUNDS = 5"),
    Mutant(STATISTICS, "MAD_SCALE = 1.4826", "MAD_SCALE = 1.0"),
    Mutant(
        STATISTICS,
        "[centre, averages[..., rank - 1], averages[..., -rank]]",
        "[centre, averages[..., rank], averages[..., -rank]]",
    ),
    Mutant(
        STATISTICS,
        "(samples[..., first] + samples[..., second]) / 2",
        "(samples[..., first] + samples[..., first]) / 2",
    ),
    Mutant(STATISTICS, "(present - 1) // 2, present // 2", "present // 2, present // 2"),
    Mutant(STATISTICS, "uneven, medians(first) - medians(second)", "uneven, medians(second) - medians(first)"),
    Mutant(STATISTICS, "rounds[..., second] <= 0, axis=-1", "rounds[..., second] < 0, axis=-1"),
    Mutant(
        STATISTICS,
        "(_signed_rank_distribution(count), (1 - CONFIDENCE) / 2",
        "(_signed_rank_distribution(count), 1 - CONFIDENCE",
    ),
    Mutant(
        STATISTICS,
        "np.asarray(after, np.float64), np.asarray(before, np.float64)), axis=None",
        "np.asarray(before, np.float64), np.asarray(after, np.float64)), axis=None",
    ),
    Mutant(STATISTICS, "differences <= margin", "differences < margin"),
    Mutant(STATISTICS, "p[order] * (p.size - np.arange(p.size))", "p[order] * p.size"),
    Mutant(STATISTICS, "np.minimum(steps, 1.0)", "steps"),
    Mutant(STATISTICS, "* hypotheses / np.arange(1, p.shape[-1] + 1)", "* hypotheses"),
    Mutant(STATISTICS, "merged[lengths == length] = rows", "merged[:] = rows[:1]"),
    # sequential
    Mutant(SEQUENTIAL, "rounds[rounds.size - rank]), float(rounds[rank - 1])", "rounds[0]), float(rounds[-1])"),
    Mutant(SEQUENTIAL, "np.cumsum(rounds > value)", "np.cumsum(rounds >= value)"),
    Mutant(SEQUENTIAL, "range(above + 1)", "range(above)"),
    Mutant(SEQUENTIAL, ", 1000) / 2", ", 1000)"),
    Mutant(SEQUENTIAL, "min([1.0, *(_p_value", "max([0.0, *(_p_value"),
    # speedups
    Mutant(
        INTERVAL,
        "max(high - value, value - low)",
        "min(high - value, value - low)",
    ),
    Mutant(SPEEDUPS, "one.backend == other.backend or one.strategy == other.strategy", "one.backend == other.backend"),
    Mutant(SPEEDUPS, "(by_arm[reference], by_arm[candidate])", "(by_arm[candidate], by_arm[reference])"),
    Mutant(SPEEDUPS, "max(of_all, key=", "min(of_all, key="),
    # verdicts
    Mutant(REGRESSION, "slower <= 1 - CONFIDENCE and ratio.low > 1 + margin", "slower <= 1 - CONFIDENCE"),
    Mutant(REGRESSION, "slower <= 1 - CONFIDENCE and ratio.low", "slower <= 1 and ratio.low"),
    Mutant(REGRESSION, "- CONFIDENCE and ratio.high < 1 / (1 + margin)", "- CONFIDENCE and ratio.high < 1"),
    Mutant(REGRESSION, "<= ratio.low and ratio.high <= 1 + margin", "<= ratio.low"),
    Mutant(REGRESSION, "for glob, margin in self.exceptions if", "for glob, margin in reversed(self.exceptions) if"),
    Mutant(REGRESSION, "-abs(log(value))", "abs(log(value))"),
    Mutant(LIVE, "sequential_p_value(-logs, a)", "sequential_p_value(logs, a)"),
    Mutant(LIVE, "beyond = {Verdict.REGRESSED, Verdict.IMPROVED}", "beyond = {Verdict.REGRESSED}"),
    Mutant(
        LIVE,
        "_judged(times.baseline, times.control, margins)",
        "_judged(times.baseline, times.candidate, margins)",
    ),
    Mutant(LIVE, "change.ratio.value > 1 + change.margin", "change.ratio.value > 0"),
    Mutant(LIVE, "change.p_value <= 1 - CONFIDENCE and", "True and"),
    Mutant(LIVE, "not decided.issuperset(block.cases)", "decided.isdisjoint(block.cases)"),
    Mutant(
        LIVE,
        "[other.seconds(block)[:, arm], baseline.seconds(block)[:, arm]]",
        "[baseline.seconds(block)[:, arm], other.seconds(block)[:, arm]]",
    ),
    Mutant(STORED, "return not absolute.low > 1", "return False"),
    Mutant(STORED, "return not absolute.high < 1", "return False"),
    Mutant(STORED, "and absolute.low > 1 + margin", "and False"),
    Mutant(STORED, "relative is Verdict.UNCHANGED and absolute.high < 1 / (1 + margin)", "False"),
    Mutant(STORED, "if not decidable:", "if False:"),
    Mutant(
        STORED,
        "mann_whitney_p_value(new.relative, old.relative, log)",
        "mann_whitney_p_value(old.relative, new.relative, log)",
    ),
    Mutant(STORED, "before[case].arms != after[case].arms", "False"),
    Mutant(STORED, "log_ratios(seconds, arm, -1)", "log_ratios(seconds, arm, 0)"),
    # the oracle
    Mutant(ALLOWANCE, "there[Flaw.CANCELS] & cancels", "there[Flaw.CANCELS]"),
    Mutant(ALLOWANCE, "there[Flaw.OVERFLOWS] & ~(number & (derivative != 0))", "there[Flaw.OVERFLOWS]"),
    Mutant(ALLOWANCE, "if np.any(error[there] > STATED_ULP):", "if True:"),
    Mutant(ALLOWANCE, "if not np.any(at_roots > STATED_ULP):", "if False:"),
    Mutant(ALLOWANCE, "if weakness.flaw is Flaw.OVERFLOWS and (finite", "if False and (finite"),
    Mutant(FLAWS, "most = STATED_ULP * factor(weaknesses", "most = 4 * STATED_ULP * factor(weaknesses"),
    Mutant(FLAWS, "total = np.ones(", "total = np.zeros("),
    Mutant(ALLOWANCE, "merges[there] = near & (", "merges[there] = near | ("),
    Mutant(
        ALLOWANCE, "~excused & (expected.error(y) > allowed(weaknesses, z))", "~excused & (expected.error(y) > 1e9)"
    ),
    Mutant(FLAWS, "nan=0.0, posinf=MOST", "nan=MOST, posinf=MOST"),
    Mutant(ORACLE, "if wrong.any():\n        plain = storage", "if wrong.all():\n        plain = storage"),
    Mutant(ORACLE, "if call.answer.y is not None:", "if False:"),
    Mutant(ORACLE, "np.mean(slope.known) < LEAST_KNOWN", "False"),
    Mutant(EXAMINATION, "self.answer.derivative / self.dy", "self.answer.derivative"),
    Mutant(BANDS, "(z > low) & (z <= high) if high <= 0", "(z >= low) & (z < high) if high <= 0"),
    Mutant(CALLS, "for size in TWICE * SIZES:", "for size in ():"),
    Mutant(CALLS, "_check_conventions(kernel, evaluate)\n\n", "\n\n"),
    Mutant(CALLS, "(np.sign(at.computed) == np.sign(at.limit))", "True"),
    Mutant(ELEMENTS, "slack = 0.0 if", "slack = 1e9 if"),
    Mutant(ELEMENTS, "if of_output:", "if not of_output:"),
    Mutant(KEPT, "ASIDE = (0, -1, 1)", "ASIDE = (0, -99999, 99999)"),
    Mutant(CAUSES, "np.all(off <= FEW_EPS) and np.any(off >= SOME_EPS)", "np.any(off <= FEW_EPS)"),
    Mutant(CAUSES, "and np.all(computed == slope):", "and True:"),
    Mutant(TRUTH, "distance - self.rest", "distance"),
    Mutant(TRUTH, "SAFETY = 10.0", "SAFETY = 0.0"),
    # the archive
    Mutant(ARCHIVE, "np.allclose(a, b, rtol=1e-8, atol=0, equal_nan=True)", "True"),
    Mutant(ARCHIVE, "run.record.status is Status.REFUSED", "False"),
    Mutant(ARCHIVE, "            run.record.status = Status.INTERRUPTED", "            pass"),
    Mutant(BASELINE, "if there != here]", "if False]"),
    Mutant(BASELINE, "old.settings.engine != new.settings.engine", "False"),
    Mutant(BASELINE, "if old.get(name) != new.get(name)", "if False"),
    Mutant(FILES, "moved.exists() and not part(directory / first).exists()", "moved.exists()"),
    Mutant(FILES, "fcntl.LOCK_EX | fcntl.LOCK_NB", "fcntl.LOCK_SH | fcntl.LOCK_NB"),
    Mutant(
        FILES,
        "if part(first).exists():\n        _drop([*rest, first])",
        "if part(first).exists():\n        _drop([first])",
    ),
    Mutant(JOURNAL, "sealed(entry) != entry or entry.line", "entry.line"),
    Mutant(JOURNAL, "or entry.line != number", ""),
    Mutant(JOURNAL, "or entry.run != record.id", ""),
    Mutant(JOURNAL, "if entry.saves < record.saves:", "if False:"),
    Mutant(RECORD, "record.seal != seal", "False"),
    Mutant(RECORD, "if version != SCHEMA:", "if False:"),
    Mutant(VALUES, "if digest(view[begin:stop]) != section.digest:", "if False:"),
    Mutant(VALUES, "if starts[end] < len(data):", "if False:"),
    Mutant(WRITER, "self.lines + 1, times)", "self.lines, times)"),
    Mutant(WRITER, "max(number, self.record.rounds)", "number + 1"),
    Mutant(WRITER, "latest.point(latest.LATEST, self.directory)", '""'),
    # planning
    Mutant(SUITE, "if needed > MEMORY_SHARE * room.memory:", "if needed > room.memory:"),
    Mutant(SUITE, "if seconds > room.max_call:", "if False:"),
    Mutant(
        RESOLVED,
        "sorted({(size.elements, str(size)): size for size in self.axes.sizes}.values())",
        "list(self.axes.sizes)",
    ),
    Mutant(RESOLVED, "if fnmatchcase(case.id, pattern):", "if True:"),
    Mutant(RESOLVED, "if rungs and OVERHEAD not in activations:", "if False:"),
    Mutant(RESOLVED, "if name not in known_there:", "if True:"),
    Mutant(COSTS, "kept(case.dtype, case.strategy.storage)", "kept(case.dtype, None)"),
    Mutant(COSTS, "return max(usual, LEAST_MEASURED", "return min(usual, LEAST_MEASURED"),
    # inputs
    Mutant(INPUTS, 'file: str = field(default="", compare=False)', 'file: str = ""'),
    Mutant(INPUTS, "Distribution.NORMAL and second <= 0", "Distribution.NORMAL and second < 0"),
    Mutant(INPUTS, "high - low < inf", "high < inf"),
    Mutant(DRAWING, "rest, replace=False", "rest, replace=True"),
    Mutant(DRAWING, "part = np.sort(", "part = np.asarray("),
    Mutant(DRAWING, "hexdigest() != digest", "hexdigest() == ''"),
    Mutant(DRAWING, "default_rng((seed, GRADIENT))", "default_rng(seed)"),
    Mutant(DRAWING, "~np.isfinite(array)", "np.isnan(array)"),
    Mutant(DRAWING, 'array.dtype.kind != "f"', 'array.dtype.kind not in "fi"'),
    Mutant(SUITABILITY, "max(size, IN_CACHE_SIZE)", "size"),
    Mutant(SUITABILITY, "if most and not rounded", "if False"),
    Mutant(SUITABILITY, "if np.isinf(rounded)", "if False"),
)
