from pathlib import Path

import pytest

from competition.data.checks.finding import Finding, Severity
from competition.data.checks.kept import grave, keep


def findings(*severities: Severity) -> list[Finding]:
    return [Finding("kind", severity, "what", 1, ("a",), "mend") for severity in severities]


def test_errors_and_leaks_count_on_the_split_that_was_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    assert grave(path, on=[None, 1]) is None
    keep(path, findings(Severity.ERROR, Severity.LEAK, Severity.WARNING, Severity.NOTE), split_version=1)
    assert grave(path, on=[1]) == 2
    assert grave(path, on=[None, 2]) is None
    keep(path, findings(Severity.NOTE), split_version=None)
    assert grave(path, on=[2, None]) == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"split": 1, "findings": [3]}'])
def test_a_damaged_file_is_no_check(tmp_path: Path, text: str) -> None:
    path = tmp_path / "findings.json"
    path.write_text(text)
    assert grave(path, on=[1]) is None
