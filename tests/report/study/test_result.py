"""The result of a study outlives its database: it is written and read as JSON."""

from __future__ import annotations

import pytest
from optuna.trial import TrialState

from steps.report.study.result import RESULT
from tests.report.study.studies import of_packaged_space, result


@pytest.mark.parametrize("objectives", [("accuracy",), ("accuracy", "latency")])
def test_what_is_written_is_read_back(objectives: tuple[str, ...]) -> None:
    written = of_packaged_space(30, objectives)
    assert RESULT.validate_json(RESULT.dump_json(written)) == written


def test_a_study_without_a_trial_is_read_back() -> None:
    empty = result([], best=None)
    assert RESULT.validate_json(RESULT.dump_json(empty)) == empty


def test_optuna_gets_the_same_trials() -> None:
    known = of_packaged_space(12, ("accuracy", "latency"))
    first, both = known.study(), known.study(2)
    assert [trial.state for trial in first.trials].count(TrialState.COMPLETE) == len(known.complete)
    assert [trial.value for trial in first.trials if trial.value is not None] == [r.values[0] for r in known.complete]
    assert both.trials[0].values == list(known.rows[0].values)
    assert both.trials[0].params == {name: known.rows[0].hyperparameters[name] for name in known.rows[0].distributions}
