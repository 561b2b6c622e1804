from pathlib import Path

import pytest

from competition.data.checks.findings import Finding, Severity, count_serious, findings_of, save_findings


def findings(*severities: Severity) -> list[Finding]:
    return [Finding("kind", severity, "what", 1, ("a",), "fix") for severity in severities]


def test_errors_and_leaks_count_for_the_split_that_was_checked(tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    assert count_serious(path, split_versions=[None, 1]) is None
    save_findings(path, findings(Severity.ERROR, Severity.LEAK, Severity.WARNING, Severity.NOTE), split_version=1)
    assert count_serious(path, split_versions=[1]) == 2
    assert count_serious(path, split_versions=[None, 2]) is None
    save_findings(path, findings(Severity.NOTE), split_version=None)
    assert count_serious(path, split_versions=[2, None]) == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"split": 1, "findings": [3]}'])
def test_a_damaged_file_is_no_check(tmp_path: Path, text: str) -> None:
    path = tmp_path / "findings.json"
    path.write_text(text)
    assert count_serious(path, split_versions=[1]) is None


@pytest.mark.parametrize(("cases", "what"), [(["a"], "1 image has a mask."), (["a", "b"], "2 images have a mask.")])
def test_a_finding_agrees_with_its_number(cases: list[str], what: str) -> None:
    (finding,) = findings_of("kind", Severity.NOTE, cases, what="{n} [image has|images have] a mask.", fix="")
    assert (finding.what, finding.count) == (what, len(cases))
