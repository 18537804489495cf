"""Charts: the same figure as PNG and as SVG that follows the theme of its page, whatever the person's settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import steps.report
from steps.report.charts import chart
from steps.report.charts.parameters import smooth
from steps.report.charts.trials import MAX_CURVES, curves, history, thinned
from tests.report.study.studies import HOSTILE, complete, made_up

CSS = (Path(steps.report.__file__).parent / "page.css").read_text(encoding="utf-8")
PALETTE = {name: getattr(chart, name.upper()) for name in ("text", "muted", "line", "page", "accent", "second")}


@pytest.fixture(scope="module")
def svg() -> str:
    study = made_up(60)
    assert study.best is not None
    return str(history(study.rows, study.objectives[0], study.best).svg())


def test_the_palette_is_the_light_theme_of_the_page() -> None:
    assert dict(re.findall(r"--(\w+): (#\w{6})", CSS[: CSS.index("@media")])).items() >= PALETTE.items()


def test_marks_stand_out_and_differ_in_grey() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    def contrast(first: str, second: str) -> float:
        low, high = sorted((luminance(first), luminance(second)))
        return (high + 0.05) / (low + 0.05)

    dark = dict(re.findall(r"--(\w+): (#\w{6})", CSS[CSS.index("@media") : CSS.index("* {")]))
    for colours in (PALETTE, dark):
        assert min(contrast(colours[mark], colours["page"]) for mark in ("accent", "second")) >= 3  # WCAG 2.1, graphics
    assert contrast(chart.ACCENT, chart.SECOND) > 1.5


def test_an_svg_takes_its_colours_from_the_page(svg: str) -> None:
    assert not re.findall(r"#[0-9a-f]{6}", svg)
    assert {"var(--text)", "var(--accent)", "var(--second)", "var(--line)"} <= set(re.findall(r"var\(--\w+\)", svg))


def test_an_svg_is_text_that_can_be_read_and_searched(svg: str) -> None:
    assert svg.startswith('<svg class="chart" role="img" aria-label="Validation accuracy of 23 complete and 36 pruned')
    assert ">validation accuracy</text>" in svg
    assert ">0.905</text>" in svg
    assert not re.findall("<style|<metadata|<!DOCTYPE|<image|font-family", svg)


def test_an_svg_refers_to_what_it_holds(svg: str) -> None:
    assert set(re.findall(r'(?:href="|url\()#(\w+)', svg)) == set(re.findall(r' id="(\w+)"', svg))


def test_names_are_text() -> None:
    figure, axes = chart.canvas()
    axes.set_title(HOSTILE + r" $\no{mathematics}$")
    svg = chart.Chart(figure, HOSTILE + r" \1").svg()
    assert "<script" not in svg
    assert r" $\no{mathematics}$</text>" in svg
    assert r' \1" viewBox="0 0 ' in svg


def test_two_drawings_are_equal(tmp_path: Path) -> None:
    study = made_up(20)
    drawn = [curves(study.rows, study.followed, study.best) for _ in range(2)]
    assert drawn[0].svg() == drawn[1].svg()
    for i, one in enumerate(drawn):
        one.save(tmp_path / f"{i}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chart_follows_the_theme(svg: str, scheme: str, opened: Any) -> None:
    page, trouble = opened(f"<meta charset=utf-8><style>{CSS}</style><body>{svg}", scheme=scheme)
    colour = "getComputedStyle(document.querySelector('{}')).{}".format
    text = page.evaluate(colour("svg text", "fill"))
    assert text == page.evaluate(colour("body", "color"))
    assert text == ("rgb(27, 31, 36)" if scheme == "light" else "rgb(230, 233, 237)")
    assert trouble == []


DRAW = """
import steps.base.libraries, sys
from tests.report.study.studies import made_up
from steps.report.charts.trials import timeline
import pathlib
timeline(made_up(5).rows).save(pathlib.Path(sys.argv[1]))
assert "matplotlib.pyplot" not in sys.modules
"""


def test_settings_of_the_person_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\naxes.facecolor: black\nfont.size: 30\n")
    notebook = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "MATPLOTLIBRC": str(tmp_path)}
    for name, extra in {"theirs": notebook, "ours": {}}.items():
        subprocess.run([sys.executable, "-c", DRAW, tmp_path / f"{name}.png"], env={**os.environ, **extra}, check=True)
    assert (tmp_path / "theirs.png").read_bytes() == (tmp_path / "ours.png").read_bytes()


@pytest.mark.parametrize("sign", [-1, 1])
def test_bad_trials_do_not_squash_the_axis(sign: int) -> None:
    good = [0.970 + i / 1000 for i in range(10)]
    low, high = chart.limits([sign * -v for v in [*good, 0.1]], sign)
    assert high - low < 0.03
    assert all(low <= sign * -v <= high for v in good)
    low, high = chart.limits([0.5, 0.6, 0.7], sign)
    assert low < 0.5 < 0.7 < high


def test_the_estimate_says_nothing_if_no_trial_is_near() -> None:
    surface = smooth(np.array([[0.0, 0.0], [0.1, 0.0]]), np.array([1.0, 3.0]))
    assert not surface.mask[0, 0]
    assert surface.mask[-1, -1]
    assert 1.0 <= surface.min() < surface.max() <= 3.0


def test_thinned_curves_are_few_and_hold_the_selected_one() -> None:
    rows = [complete(i, 0.5) for i in range(2000)]
    kept = thinned(rows, best=1001)
    assert len(kept) <= MAX_CURVES
    assert {0, 1001, 1999} <= {row.number for row in kept}
