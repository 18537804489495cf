"""report.html of an evaluate run: the decision, and everything it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from steps.datasets import Dataset
from steps.report.charts import calibration, error_intervals, learning_curve
from steps.report.page import page, picture
from steps.tasks.checks import Check
from steps.tasks.classification.metrics import calibration_bins, confusion, worst_mistakes
from steps.tasks.comparison import Comparison
from steps.tasks.metric import Interval
from steps.tasks.task import Task, task_of

_MISTAKES = 24


def evaluation_page(
    *,
    title: str,
    approved: bool,
    promoted: bool,
    reasons: Sequence[str],
    checks: Sequence[Check],
    dataset: Dataset,
    probabilities: np.ndarray,
    scores: Mapping[str, Interval],
    baselines: Mapping[str, float],
    champion: int | None,
    comparison: Comparison | None,
    losses: Sequence[float],
    lineage: Mapping[str, Mapping[str, Any] | str],
) -> str:
    """The report as one HTML document.

    Args:
        reasons: Of the approval and of the promotion, one sentence each.
        dataset: With its test split.
        probabilities: (n, n_classes) on the test split.
        baselines: Name -> primary metric.
        champion, comparison: Version it was compared with and the 2 x 2 table; None where there was no champion.
        losses: Training loss of each epoch of the final training.
        lineage: Group -> name -> value.
    """
    task, labels = task_of(dataset), np.asarray(dataset.splits["test"].targets)
    rows = _rivals(task, scores, baselines, champion, comparison, len(labels))
    counts = confusion(labels, probabilities)
    scores_of_classes = precision_recall_fscore_support(
        labels, probabilities.argmax(1), labels=range(len(dataset.class_names)), zero_division=0
    )
    return page(
        title,
        _TEMPLATE,
        headline=f"{'Approved' if approved else 'Rejected'}, {'promoted to champion' if promoted else 'not promoted'}",
        tone="good" if approved and promoted else "" if approved else "bad",
        reasons=reasons,
        checks=checks,
        task=task,
        scores=scores,
        rows=rows,
        accuracy_chart=error_intervals(rows, len(labels)),
        comparison=comparison,
        champion=champion,
        calibration_chart=calibration(*calibration_bins(labels, probabilities), scores["calibration_error"].value),
        learning_chart=learning_curve(losses),
        n_test=len(labels),
        classes=dataset.class_names,
        counts=counts.tolist(),
        shares=np.sqrt(counts / np.maximum(counts.sum(1, keepdims=True), 1)).round(3).tolist(),
        by_class=list(zip(dataset.class_names, *(column.tolist() for column in scores_of_classes), strict=True)),
        mistakes=_mistakes(dataset, probabilities, labels),
        n_mistakes=len(labels) - int(counts.trace()),
        lineage=lineage,
    )


def _rivals(
    task: Task,
    scores: Mapping[str, Interval],
    baselines: Mapping[str, float],
    champion: int | None,
    comparison: Comparison | None,
    n: int,
) -> list[tuple[str, float, float, float]]:
    """(name, primary metric, low, high) of the model and of all it is measured against."""
    values = {"this model": scores[task.primary.name].value}
    values |= {f"champion (version {champion})": comparison.champion} if comparison else {}
    values |= {name.replace("_", " "): value for name, value in baselines.items()}
    return [(name, value, *(task.interval(value, n) or (value, value))) for name, value in values.items()]


def _mistakes(dataset: Dataset, probabilities: np.ndarray, labels: np.ndarray) -> list[dict[str, str]]:
    """The most confident mistakes; `src` is empty where samples are no images."""
    features, names = dataset.splits["test"].features, dataset.class_names
    return [
        {
            "src": picture(np.asarray(features[i]).reshape(dataset.image_shape), dataset.feature_max)
            if dataset.image_shape
            else "",
            "text": f"{names[labels[i]]} as {names[probabilities[i].argmax()]}, {probabilities[i].max():.0%} sure",
            "row": f"test sample {i}",
        }
        for i in worst_mistakes(labels, probabilities, _MISTAKES)
    ]


_TEMPLATE = """
<section class="decision {{ tone }}">
<strong>{{ headline }}</strong>
{% for reason in reasons %}<p>{{ reason[0] | upper }}{{ reason[1:] }}.</p>
{% endfor %}
<div class="numbers">
{% for name, score in scores.items() %}{% set metric = task.metrics[name] %}
<div><b>{{ metric.text(score.value) }}</b><small>{{ "test " if loop.first }}{{ metric.label }}
{%- if score.low is not none %}, 95 % interval {{ metric.text(score.low) }} to {{ metric.text(score.high) }}{% endif %}
</small></div>{% endfor %}
</div>
</section>
<h2>Against champion and baselines</h2>
<div class="columns">
<figure>{{ accuracy_chart }}</figure>
<div class="scroll"><table>
<thead><tr><th>model</th><th class="number">{{ task.primary.label }}</th><th class="number">95 % interval</th>
<th class="number">margin</th></tr></thead>
<tbody>{% for name, value, low, high in rows %}
<tr><td>{{ name }}</td><td class="number">{{ task.primary.text(value) }}</td>
<td class="number">{{ task.primary.text(low) }} – {{ task.primary.text(high) }}</td>
<td class="number">
{% if not loop.first %}{{ "+" if rows[0][1] >= value else "−" }}
{{- task.primary.difference_text(rows[0][1] - value) }}{% endif %}</td>
</tr>{% endfor %}</tbody></table>
<p class="muted">All on the same {{ "{:,}".format(n_test) }} test samples. Margin: this model's lead.</p>
</div>
</div>
{% if comparison %}
<p>{{ comparison.test[0] | upper }}{{ comparison.test[1:] }} against version {{ champion }}:
p = {{ "%.3g" | format(comparison.p_value) }}.</p>
<div class="scroll"><table><thead><tr><th>samples</th><th class="number">champion right</th>
<th class="number">champion wrong</th></tr></thead><tbody>
<tr><th>this model right</th><td class="number">{{ comparison.both_right }}</td>
<td class="number">{{ comparison.only_challenger_right }}</td></tr>
<tr><th>this model wrong</th><td class="number">{{ comparison.only_champion_right }}</td>
<td class="number">{{ comparison.both_wrong }}</td></tr></tbody></table></div>
{% endif %}
<h2>Checks</h2>
<div class="scroll"><table><tbody>{% for check in checks %}
<tr><td class="{{ 'good' if check.passed else 'bad' }}">{{ "passed" if check.passed else "failed" }}</td>
<th>{{ check.name | replace("_", " ") }}</th><td>{{ check.detail }}</td></tr>{% endfor %}</tbody></table></div>
<h2>Calibration and training</h2>
<div class="columns">
<figure>{{ calibration_chart }}<figcaption>Calibration on the test split: on the dashed line, the model is
as often right as it is sure. The area of a dot is its share of the samples.</figcaption></figure>
<figure>{{ learning_chart }}<figcaption>Final training on train + validation.</figcaption></figure>
</div>
<h2>Confusion matrix</h2>
<div class="scroll"><table class="matrix"><thead><tr><th>true \\ predicted</th>{% for name in classes %}
<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>{% for name in classes %}{% set i = loop.index0 %}
<tr><th>{{ name }}</th>{% for count in counts[i] %}
<td style="--share: {{ shares[i][loop.index0] }}">{{ count or "" }}</td>{% endfor %}</tr>{% endfor %}
</tbody></table></div>
<h2>By class</h2>
<div class="scroll"><table><thead><tr><th>class</th><th class="number">precision</th><th class="number">recall</th>
<th class="number">F1</th><th class="number">samples</th></tr></thead><tbody>
{% for name, precision, recall, f1, support in by_class %}
<tr><td>{{ name }}</td><td class="number">{{ "%.4f" | format(precision) }}</td>
<td class="number">{{ "%.4f" | format(recall) }}</td><td class="number">{{ "%.4f" | format(f1) }}</td>
<td class="number">{{ support }}</td></tr>{% endfor %}</tbody></table></div>
<h2>Most confident mistakes</h2>
{% if mistakes %}
<p class="muted">{{ mistakes | length }} of {{ n_mistakes }}: true class as predicted class.</p>
<div class="pictures">{% for mistake in mistakes %}
<figure>{% if mistake.src %}<img src="{{ mistake.src }}" alt="{{ mistake.row }}: {{ mistake.text }}">{% endif %}
<figcaption>{{ mistake.text }}<br>{{ mistake.row }}</figcaption></figure>{% endfor %}</div>
{% else %}<p>None: every test sample is right.</p>{% endif %}
<h2>Lineage</h2>
<div class="lineage">
{% for group, values in lineage.items() %}
<section><h3>{{ group | replace("_", " ") | capitalize }}</h3>
<dl>{% for name, value in (values.items() if values is mapping else [("SHA-256", values)]) %}
<dt>{{ name }}</dt><dd>{{ value }}</dd>{% endfor %}</dl></section>
{% endfor %}
</div>
"""
