"""Template, style and script of the study report."""

STYLE = """
:root { --pruned: #a15c00; } @media (prefers-color-scheme: dark) { :root { --pruned: #f0ae4e; } }
@media print { :root { --pruned: #a15c00; } }
svg .dots, svg .crosses, svg .pruned { stroke: var(--accent); stroke-linecap: round; }
svg .crosses, svg .pruned { stroke: var(--pruned); stroke-width: 1.3; }
svg .ring { stroke: var(--text); stroke-width: 2; }
svg .faint { opacity: .45; }
ol.next li { margin: .35rem 0; } code { font-size: .9em; overflow-wrap: anywhere; } a { color: var(--accent); }
.bar { display: inline-block; height: .7rem; width: calc(var(--share) * 7rem); background: var(--accent); }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); }
.columns + .scroll { margin-top: 1rem; }
td.pruned { color: var(--pruned); } td.failed { color: var(--bad); }
table.sortable { font-size: .85rem; white-space: nowrap; } table.sortable td, table.sortable th { padding-right: 1rem; }
table.sortable th[scope=row] { position: sticky; left: 0; background: var(--page); }
table.sortable button { all: unset; cursor: pointer; font-weight: 600; }
button:focus-visible { outline: 2px solid var(--accent); }
th button::after { content: "\\2195"; opacity: .55; padding-left: .2rem; }
th[aria-sort=ascending] button::after { content: "\\2191"; opacity: 1; }
th[aria-sort=descending] button::after { content: "\\2193"; opacity: 1; }
#all:not(:checked) ~ .scroll tbody tr:nth-child(n+101) { display: none; }
@media (max-width: 40rem) { dl { grid-template-columns: max-content 1fr; }
  .scroll td, .scroll th { white-space: nowrap; } }
@media print { #all, #all + label { display: none; } table.sortable { font-size: 6.5pt; white-space: normal; } }
"""

SCRIPT = """
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const key = text => text === '' ? null : isNaN(text) ? text : Number(text);
  const compare = (a, b) => typeof a !== typeof b ? (typeof a === 'number' ? -1 : 1) : a < b ? -1 : a > b ? 1 : 0;
  heads.forEach((head, column) => head.firstElementChild.addEventListener('click', () => {
    const sign = head.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
    heads.forEach(other => other.removeAttribute('aria-sort'));
    head.setAttribute('aria-sort', sign > 0 ? 'ascending' : 'descending');
    const rows = [...body.rows].map(row => [key(row.cells[column].textContent.trim()), row]);
    rows.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b));
    body.append(...rows.map(([, row]) => row));
  }));
}
"""

TEMPLATE = """
{% macro run(row) %}<a href="{{ run_url(row.run_id) }}" target="_blank" rel="noopener">{{ row.number }}</a>
{%- endmacro %}
{% macro sortable(value) %}{{ ("%.6g" if value < 100000 else "%.0f") | format(value) }}{% endmacro %}
{% set n_rows = rows | length %}
<section class="decision good">
<strong>{{ "Selected" if ahead else "Best" }}: trial {{ best.number }},
{{ objectives[0].label }} {{ objectives[0].text(best.values[0]) }}</strong>
{% if ahead %}<p>It is {{ reason }}.</p>{% endif %}
<p>{{ certainty }}. The best of many trials is also a lucky one: expect a little less on the test split.</p>
<div class="numbers">
{% if score %}<div><b>{{ task.primary.text(score[0]) }}</b><small>validation {{ task.primary.label }}, 95 % interval
{{ task.primary.text(score[1]) }} to {{ task.primary.text(score[2]) }}</small></div>{% endif %}
<div><b>{{ n_rows }}</b><small>trials: {{ counts.complete }} complete, {{ counts.pruned }} pruned,
{{ counts.failed }} failed</small></div>
<div><b>{{ duration(cost.busy) }}</b><small>of training, {{ "{:,}".format(cost.epochs) }} epochs</small></div>
{% if counts.pruned %}<div><b>{{ duration(cost.seconds_saved) }}</b><small>of trial time saved by pruning
(estimate)</small></div>{% endif %}

</div>
</section>
<h2>What to do next</h2>
<ol class="next">
{% for sentence in next_steps %}<li>{{ sentence }}.</li>
{% endfor %}
<li>Train the selected trial on train + validation and test it once, as main does by itself:
<code>mlflow run . -e evaluate -P tune_run_id={{ tune_run_id }}</code></li>
</ol>
<h2>The best configuration</h2>
<div class="columns">
<section><dl>{% for name, value in best.hyperparameters.items() %}
<dt>{{ name }}</dt><dd>{{ shown(value) }}</dd>{% endfor %}</dl></section>
<figure>{{ interval_chart }}<figcaption>The top {{ top | length }}, on {{ "{:,}".format(n_validation) }} validation
samples. Where intervals overlap much, the order is chance.</figcaption></figure>
</div>
<div class="scroll"><table><thead><tr><th>trial</th>{% for objective in objectives %}
<th class="number">{{ objective.label }}</th>{% endfor %}
<th class="number">95 % interval of {{ task.primary.label }}</th>
<th class="number">behind</th><th>difference</th></tr></thead><tbody>
{% for row, interval, noise in top %}<tr><td>{{ run(row) }}</td>{% for objective in objectives %}
<td class="number">{{ objective.text(row.values[loop.index0]) }}</td>{% endfor %}
<td class="number">{{ task.primary.text(interval[2]) }} – {{ task.primary.text(interval[3]) }}</td>
<td class="number">{% if not loop.first %}{{ task.primary.difference_text(top[0][1][1] - interval[1]) }}{% endif %}</td>
<td>{% if loop.first %}selected{% else %}{{ "within noise" if noise else "beyond noise" }}{% endif %}</td></tr>
{% endfor %}</tbody></table></div>
{% if ahead %}
<h2>Pareto front</h2>
<p>On the front no other trial is at least as good in everything and better in one thing.</p>
<div class="columns">{% for chart in front_charts %}<figure>{{ chart }}</figure>{% endfor %}</div>
<div class="scroll"><table><thead><tr><th>trial</th>{% for objective in objectives %}
<th class="number">{{ objective.label }}</th>{% endfor %}</tr></thead><tbody>{% for row in ahead[:30] %}
<tr><td>{{ run(row) }}</td>{% for objective in objectives %}
<td class="number">{{ objective.text(row.values[loop.index0]) }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></div>
{% if ahead | length > 30 %}<p class="muted">30 of {{ ahead | length }}; all are in pareto.csv.</p>{% endif %}
{% endif %}
<h2>How the search went</h2>
<div class="columns">
<figure>{{ history_chart }}<figcaption>Dots: complete trials. Crosses: pruned ones, at their last epoch, or at the
edge. Line: best so far. Ring: trial {{ best.number }}.</figcaption></figure>
{% if curves_chart %}<figure>{{ curves_chart }}<figcaption>Learning curves; bold: trial {{ best.number }}; ending in a
cross: pruned.{% if n_curves > max_curves %}
{{ max_curves }} of {{ n_curves }} trials.{% endif %}</figcaption></figure>{% endif %}
</div>
<h2>Hyperparameters: what mattered, and where to search next</h2>
{% if has_importances %}<p class="muted">Importance is the share in reaching the best trials (PED-ANOVA), not
proof of a cause.</p>
{% else %}<p class="muted">For importances it needs four complete trials that differ.</p>{% endif %}
<div class="scroll"><table><thead><tr><th>hyperparameter</th>
{% if has_importances %}<th class="number">importance</th>{% endif %}
<th>searched</th><th>best</th><th>top {{ top | length }}</th><th>next</th></tr></thead><tbody>
{% for entry in hyperparameters %}<tr><th>{{ entry.name }}</th>{% if has_importances %}<td class="number">
{% if entry.share is not none %}<span class="bar" style="--share: {{ entry.share | round(3) }}"></span>
{{ "%.0f" | format(100 * entry.share) }} %{% endif %}</td>{% endif %}
<td>{{ entry.searched }}</td><td>{{ entry.best }}</td><td>{{ entry.top }}</td>
<td>{% if entry.border %}<strong>at the {{ entry.border.end }} border: try
{{ "up to" if entry.border.end == "high" else "down to" }} {{ "%g" | format(entry.border.suggestion) }}</strong>
{%- endif %}</td></tr>
{% endfor %}</tbody></table></div>
<h2>Cost</h2>
<p>{{ counts.complete }} trials were trained to the end, {{ counts.pruned }} were pruned and {{ counts.failed }} failed.
They trained {{ "{:,}".format(cost.epochs) }} epochs in {{ duration(cost.seconds) }} of trial time
({{ duration(cost.busy) }} by the clock, pauses left out).
{% if counts.pruned %}Pruning saved {{ "{:,}".format(cost.epochs_saved) }} epochs
({{ "%.0f" | format(100 * cost.epochs_saved / (cost.epochs + cost.epochs_saved)) }} % of all), about
{{ duration(cost.seconds_saved) }} of trial time at the median pace of an epoch.
{%- else %}Nothing was pruned.{% endif %}</p>
{% if failures %}<ul>{% for error, count in failures %}<li>{{ count }} × {{ error or "no reason was recorded" }}</li>
{% endfor %}</ul>{% endif %}
<h2>All trials</h2>
<p class="muted">A click on a heading sorts. Numbers lead to the runs of the trials where the MLflow
UI runs; its own artifact view blocks links, the downloaded report does not.</p>
{% if n_rows > 100 %}<input type="checkbox" id="all"><label for="all"> Show all {{ n_rows }} trials, not only the first
100 of this order</label>{% endif %}
<div class="scroll"><table class="sortable"><thead><tr><th aria-sort="ascending"><button>trial</button></th>
<th><button>state</button></th>{% for objective in objectives %}
<th class="number"><button>{{ objective.key }}</button></th>{% endfor %}
<th class="number"><button>epochs</button></th><th class="number"><button>seconds</button></th>{% for name in names %}
<th><button>{{ name }}</button></th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr><th scope="row">{{ run(row) }}</th><td class="{{ row.state }}">{{ row.state }}</td>
{%- for objective in objectives %}<td class="number">
{%- if row.values %}{{ sortable(row.values[loop.index0]) }}
{%- elif loop.first and row.curve and objective.every_epoch %}{{ sortable(row.curve[-1]) }}{% endif %}</td>
{%- endfor %}<td class="number">{{ row.curve | length }}</td>
{#- #}<td class="number">{{ "%.1f" | format(row.end - row.start) }}</td>
{%- for name in names %}<td>{{ shown(row.hyperparameters[name]) if name in row.hyperparameters }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
"""
