"""What each side of a live check loads."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from actbench.engine.live.revisions import Revision
from actbench.engine.live.wrong_sides import CodeOfSides, WrongSides
from actbench.engine.working.checking import Refused, RefusedError, Verification
from actbench.errors import WrongKernelError
from actbench.model.plan import Plan
from tests.conftest import Actbench
from tests.support.compared import BLOCK
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.repository import commit, git, repository
from tests.support.selections import record

MINE = """\
from actbench.formula import Formulas, activation

@activation
def mine(m):
    '''z / 2'''
    def forward(z):
        return z / 2.0
    def recompute(z):
        return 0.5 + 0.0 * z
    return Formulas(forward=forward, recompute=recompute)
"""
CHANGED = MINE.replace("0.5 + 0.0 * z", "0.5 + 0.0 * m.exp(-abs(z))")
SELECTION = ("-a", "mine", "-s", "recompute", "-b", "numpy", "-d", "float64", "-n", "1000")
CASE = "mine/recompute/numpy/derivative/float64/1000"
CHECK = ("check", "--against", "git:main", "--load", "mine.py", *SELECTION, "-q")

HELD = "its kernels are checked against the formulas of the one here"
SHARED, OLDER = CodeOfSides(same=("a.py",)), CodeOfSides(different=("a.py",))


def digest(text: str) -> str:
    return f"sha256 {sha256(text.encode()).hexdigest()[:12]}"


@pytest.fixture
def project(actbench: Actbench, bench: FakeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository with one commit, of `mine.py`, which has changed since."""
    del actbench
    repository(tmp_path / "project", monkeypatch)
    commit("first", mine=MINE)
    Path("mine.py").write_text(CHANGED)
    bench.revision = Revision("git:main", tmp_path / "tree")


@pytest.mark.usefixtures("project")
def test_a_slowdown_in_a_file_of_the_project_is_found_since_the_baseline_loads_that_of_its_revision(
    actbench: Actbench, bench: FakeBench
) -> None:
    bench.seconds = lambda case: 1.5 * exact_seconds(case)
    result = actbench(*CHECK, "-o", "kept")
    assert result.exit_code == 1, result.output
    (source,) = bench.baseline_sources
    assert source.name == "mine.py"
    assert Path(source.path or "").read_text() == MINE
    assert f"\nmine.py: {digest(MINE)} in the baseline, {digest(CHANGED)} here\n" in result.stdout
    loaded = {side: record(Path("kept", side))["loaded"] for side in ("baseline", "candidate", "control")}
    digests = {side: f"sha256 {codes[0]['sha256'][:12]}" for side, codes in loaded.items()}
    assert digests == {"baseline": digest(MINE), "candidate": digest(CHANGED), "control": digest(MINE)}
    compared = actbench("compare", "kept/baseline", "kept/candidate").stdout
    assert f"loaded code mine.py: was {digest(MINE)}, is {digest(CHANGED)}" in compared


@pytest.mark.usefixtures("project")
def test_a_file_in_a_folder_and_named_from_another_one_is_that_of_the_revision_as_well(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("below").mkdir()
    monkeypatch.chdir("below")
    actbench(*(argument.replace("mine.py", "../mine.py") for argument in CHECK))
    assert Path(bench.baseline_sources[0].path or "").read_text() == MINE


@pytest.mark.usefixtures("project")
def test_a_file_that_git_does_not_know_is_the_same_on_both_sides_which_is_reported(
    actbench: Actbench, bench: FakeBench
) -> None:
    Path("mine.py").rename("untracked.py")
    result = actbench(*(argument.replace("mine.py", "untracked.py") for argument in CHECK))
    assert result.exit_code == 0, result.output
    assert [(source.name, source.path) for source in bench.baseline_sources] == [("untracked.py", None)]
    assert (
        f"\nuntracked.py: both sides load the same file ({digest(CHANGED)}), so a change of it does not show; "
        "--load-baseline FILE loads another one in the baseline\n"
    ) in result.stdout


@pytest.mark.usefixtures("project")
def test_against_an_interpreter_the_same_file_is_loaded_on_both_sides(actbench: Actbench, bench: FakeBench) -> None:
    bench.revision = None
    assert "mine.py: both sides load the same file" in actbench(*CHECK).stdout
    assert bench.baseline_sources[0].sha256 == sha256(CHANGED.encode()).hexdigest()


@pytest.mark.usefixtures("project")
def test_kernels_of_a_file_that_the_revision_does_not_have_are_new(actbench: Actbench, bench: FakeBench) -> None:
    git("mv", "mine.py", "added.py")
    arguments = [argument.replace("mine.py", "added.py") for argument in CHECK]
    bench.baseline_has = lambda case: case.activation != "mine"
    result = actbench(*arguments)
    assert result.exit_code == 0, result.output
    assert "\nadded.py is not in git:main: its kernels are new\n" in result.stdout
    assert "\npassed (exit code 0): 1 case, margin 5 %: 1 new\n" in result.stdout
    assert bench.baseline_sources == []
    verdicts = {}
    for case in json.loads(actbench(*arguments, "-a", "mine,logistic", "--format", "json").stdout)["cases"]:
        verdicts[case["case"]] = case["verdict"]
    assert verdicts == {CASE: "new", CASE.replace("mine", "logistic"): "unchanged"}


@pytest.mark.usefixtures("project")
def test_what_the_baseline_loads_can_be_named(actbench: Actbench, bench: FakeBench) -> None:
    Path("older.py").write_text(MINE)
    actbench(*CHECK, "--load-baseline", "older.py")
    (source,) = bench.baseline_sources
    assert (source.name, source.sha256) == ("older.py", sha256(MINE.encode()).hexdigest())
    same = actbench(*CHECK, "--load-baseline", "same")
    assert f"\nmine.py: both sides load the same file ({digest(CHANGED)})\n" in same.stdout
    assert bench.baseline_sources[0].path is None


@pytest.mark.usefixtures("project")
def test_a_wrong_kernel_of_a_file_that_both_sides_load_is_wrong_on_both(actbench: Actbench) -> None:
    Path("untracked.py").write_text(MINE.replace("0.5 + 0.0 * z", "0.6 + 0.0 * z"))
    arguments = [argument.replace("mine.py", "untracked.py") for argument in CHECK]
    result = actbench(*arguments, "--report", "json=check.json")
    assert result.exit_code == 4
    report = json.loads(Path("check.json").read_text())
    assert (report["verdict"], f"actbench: {report['reason']}\n") == ("failed", result.stderr)
    assert any("untracked.py: both sides load the same file" in remark for remark in report["remarks"])
    assert result.stderr.startswith("actbench: on both sides, mine/recompute/numpy/derivative/float64 is wrong: ")
    assert result.stderr.endswith(" (both sides load the same untracked.py)\n")


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        (["baseline"], SHARED, "in the baseline, x (both sides load the same a.py)"),
        (["candidate"], SHARED, "in the candidate, x (both sides load the same a.py)"),
        (["baseline", "candidate", "control"], SHARED, "on both sides, x (both sides load the same a.py)"),
        (["candidate"], OLDER, "in the candidate, x"),
        (["baseline", "candidate"], OLDER, "on both sides, x"),
        (
            ["baseline", "control"],
            OLDER,
            f"in the baseline, x (the baseline loads another a.py; {HELD})",
        ),
    ],
)
def test_the_sides_with_a_wrong_kernel_are_named_once_with_the_code_that_they_load(
    monkeypatch: pytest.MonkeyPatch, wrong: list[str], code: CodeOfSides, said: str
) -> None:
    monkeypatch.setattr(Verification, "is_of_loaded_code", lambda _, refused: bool(refused))
    sides = WrongSides(code, Verification(Plan((), seed=1)))
    for side in wrong:
        with sides.on(side):
            raise RefusedError([Refused(BLOCK.cases[0].kernel, "x")])
    with pytest.raises(WrongKernelError, match=f"^{re.escape(said)}$"):
        sides.raise_any()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("nowhere.py",), "--load-baseline nowhere.py: it cannot be read (No such file or directory)"),
        (("same", "mine.py"), "--load-baseline: there are 2 for 1 of --load: name one for each"),
    ],
)
def test_a_baseline_s_file_that_cannot_be_is_refused(actbench: Actbench, names: tuple[str, ...], said: str) -> None:
    result = actbench(*CHECK, *(word for name in names for word in ("--load-baseline", name)))
    assert result.exit_code == 2
    assert said in result.stderr
