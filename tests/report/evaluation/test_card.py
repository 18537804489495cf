"""card.md: scores, weak spots, data and use of a model, as Markdown."""

from __future__ import annotations

import numpy as np

from steps.datasets import Dataset
from steps.ensembles.mixture import Mixture
from steps.report.evaluation.card import model_card
from steps.report.evaluation.classification import classification_section
from steps.report.evaluation.regression import regression_section
from steps.tasks.metric import Interval
from tests.report.evaluation.tables import churn, prices
from tests.report.evaluation.tables import evaluated as evaluated_table
from tests.report.evaluation.test_page import evaluated


def test_it_has_the_scores_and_the_weak_spots_of_the_run(digits: Dataset) -> None:
    result, probabilities = evaluated(digits, 0.9, model_uri="models:/digits mlp/2")
    card = model_card(result, digits, classification_section(digits, probabilities).weaknesses)
    accuracy = result.scores["accuracy"]
    assert f"| accuracy | {accuracy.value:.2%}".replace("%", " %") in card
    targets, predicted = np.asarray(digits.splits["test"].targets), probabilities.argmax(1)
    recalls = [(predicted[targets == i] == i).mean() for i in range(10)]
    assert f"Class {np.argmin(recalls)} has the lowest recall: {100 * min(recalls):.1f} %" in card
    assert "images of 8 × 8 pixels" in card
    assert "predict -P model_uri='models:/digits mlp/2'" in card
    assert "model.predict(model.input_example)" in card


def test_a_regression_names_the_range_of_its_largest_errors() -> None:
    dataset, outputs = prices()
    result = evaluated_table(dataset, outputs, "rmse<=500000")
    card = model_card(result, dataset, regression_section(dataset, outputs[0]).weaknesses)
    highest = np.quantile(dataset.splits["test"].targets, 0.9)
    weak = next(line for line in card.splitlines() if line.startswith("- Rows with "))
    assert float(weak.split(" to ")[1].split()[0].replace(",", "")) > highest


def test_runs_of_before_have_a_card_without_a_way_to_use_the_model() -> None:
    dataset, outputs = churn()
    card = model_card(evaluated_table(dataset, outputs, "roc_auc>=0.5"), dataset, ())
    assert "## Use" not in card
    assert "## Weak spots" not in card
    assert "| ROC AUC |" in card


def test_an_ensemble_names_its_networks(digits: Dataset) -> None:
    score = Interval(0.9, 0.87, 0.93)
    mixture = Mixture({0: 1.0}, "the only trial with outputs", score, score, 1.0, "exact test", 0.05, {}, {0: 8})
    losses = {"trial-000": (1.0,), **{f"trial-000-{i}": (1.0,) for i in range(2, 9)}}
    result, _ = evaluated(digits, 0.9, mixture=mixture, members=((0, 0.9),), losses=losses)
    card = model_card(result, digits, ())
    assert "An MLP, the mean of 8 networks." in card
    assert "- Trial 0: accuracy 90.00 % on the validation rows, weight 1.00, networks: 8" in card
