from __future__ import annotations

import pytest

from steps.tasks.classification.metrics import ACCURACY, LOG_LOSS
from steps.tasks.metric import Interval, mean_of, significant
from steps.tasks.regression.metrics import METRICS, RMSE


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (0.012345, "0.01235"), (1.0, "1.000"), (512.34, "512.3"), (45678.9, "45,679"), (-2.5, "-2.500"),
        (1234567.8, "1,234,568"), (1.23456e-7, "1.235e-07"), (float("nan"), "nan"), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_a_quantity_has_four_digits_or_all_before_the_point(value: float, text: str) -> None:
    assert significant(value) == text


def test_each_metric_has_its_form_in_texts() -> None:
    assert ACCURACY.text(0.97123) == "97.12 %"
    assert (ACCURACY.number(0.97123), ACCURACY.difference_text(-0.01)) == ("0.9712", "1.00 points")
    assert (LOG_LOSS.text(0.06431), LOG_LOSS.difference_text(-0.01)) == ("0.0643", "0.0100")
    assert (RMSE.text(45678.9), RMSE.number(45678.9), RMSE.difference_text(-123.456)) == ("45,679", "45,679", "123.5")
    assert METRICS["r2"].text(0.83211) == "0.8321"
    assert RMSE.short_text(Interval(45678.9, 40000, 50000)) == "45,679 (40,000–50,000)"
    assert ACCURACY.short_text(Interval(0.97, 0.95, 0.98)) == "97.00 % (95.00–98.00)"


def test_the_mean_of_scores_is_surer_than_each() -> None:
    found = mean_of([Interval(0.8, 0.7, 0.85), Interval(0.9, 0.8, 0.95)])
    assert found == Interval(
        pytest.approx(0.85), pytest.approx(0.85 - 0.02**0.5 / 2), pytest.approx(0.85 + 0.005**0.5 / 2)
    )
    assert mean_of([Interval(0.8, 0.7, 0.9), Interval(1.0)]) == Interval(0.9)
