"""Charts of partial dependence: outputs are told apart, and dates are dates."""

from __future__ import annotations

import re

from steps.report.charts.dependence import dependence_charts
from steps.tasks.dependence import Curve, PartialDependence

_CLASSES = ("ash", "beech", "cedar", "date palm", "elm")


def curves(n: int) -> tuple[Curve, ...]:
    mean = tuple(i / n for i in range(n))
    return tuple(Curve(name, mean, mean, mean) for name in _CLASSES)


def test_each_class_has_its_own_marker_and_line_and_the_same_in_each_chart() -> None:
    levels = PartialDependence("shape", "category", (), ("round", "oval"), curves(2))
    numbers = PartialDependence("width", "number", (1.0, 2.0, 3.0), (), curves(3))
    of_levels, of_numbers = (chart.figure.axes[0].lines for chart in dependence_charts([levels, numbers]).values())
    assert len({line.get_marker() for line in of_levels}) == len(_CLASSES)
    assert len({(line.get_color(), line.get_linestyle()) for line in of_numbers}) == len(_CLASSES)
    assert [line.get_color() for line in of_levels] == [line.get_color() for line in of_numbers]


def test_an_axis_of_dates_has_a_few_dates_of_the_calendar() -> None:
    days = tuple(1_420_070_400.0 + 86_400 * day for day in (0, 200, 400, 700))
    chart = dependence_charts([PartialDependence("arrival", "date", days, (), curves(4)[:1])])["partial_dependence_1"]
    labels = re.findall(r">\s*(\d{4}-\d\d-\d\d)\s*<", chart.svg())
    assert 2 <= len(labels) <= 6
    assert all(label.endswith("-01") for label in labels)
    assert "2015-01-01" in chart.text


def test_few_long_levels_are_told_apart() -> None:
    levels = ("breakfast_and_one_other", "breakfast_lunch_dinner")
    chart = dependence_charts([PartialDependence("meal", "category", (), levels, curves(2)[:1])])
    labels = [label.get_text() for label in chart["partial_dependence_1"].figure.axes[0].get_xticklabels()]
    assert len(set(labels)) == len(levels)
    assert all(len(label) <= 18 for label in labels)
