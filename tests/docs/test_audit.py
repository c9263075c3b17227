"""The committed audit of torch and jax: its page says what its files say, and its findings are shown."""

from __future__ import annotations

from benchmarks.audit import calls, page


def test_the_page_of_the_audit_is_made_from_its_files() -> None:
    assert (page.RESULTS / "summary.md").read_text(encoding="utf-8") == page.text(page.RESULTS), (
        "python -m benchmarks.audit.page rewrites it"
    )


def test_every_finding_is_shown_by_what_its_call_printed() -> None:
    findings = page.Audit.read(page.RESULTS).findings
    assert len(findings) > 20
    assert all(finding.shows(finding.result) for finding in findings)


def test_the_audit_covers_all_that_the_frameworks_have_in_every_dtype() -> None:
    audit = page.Audit.read(page.RESULTS)
    assert all(len(names) >= 19 for names in audit.activations.values())
    assert audit.about["versions"].keys() >= {"torch", "jax", "mpmath"}
    for framework, names in audit.activations.items():
        for name in names:
            for quantity in ("derivative", "forward"):
                for dtype in audit.dtypes:
                    assert (quantity, name, framework, dtype, "left") in audit.rows


def test_every_finding_has_a_call_of_two_lines() -> None:
    for finding in page.Audit.read(page.RESULTS).findings:
        imports, *lines = calls.snippet(finding).splitlines()
        assert imports == f"import {finding.framework}"
        assert len([line for line in lines if not line.startswith("jax.config")]) == 2
