"""Tables 1 and 3: ten fixed trials of 5 epochs on MNIST with each system, and how soon a target is reached."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

import click
import yaml

from benchmarks.systems import HERE, BenchmarkStore, Outcome

EPOCHS = 5
USUAL, DEFAULT = "usual design", "this project, as `tune` comes"


def measure(repeats: int) -> dict[str, list[Outcome]]:
    """Run every system `repeats` times, one after the other in each round."""
    outcomes: dict[str, list[Outcome]] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = BenchmarkStore(Path(folder))
        for repeat in range(repeats):
            for name, command in _systems(store).items():
                outcome = store.run(command, f"{name}, round {repeat}")
                outcomes.setdefault(name, []).append(outcome)
                click.echo(f"round {repeat + 1} of {repeats}: {name}, {outcome.seconds:.1f} s", err=True)
    return outcomes


def speed_table(outcomes: dict[str, list[Outcome]]) -> str:
    """Wall seconds, trials per minute, ratio to the usual design within each round, best validation accuracy."""
    lines = [
        f"Ten fixed trials x {EPOCHS} epochs, MNIST 50,000 / 10,000, {os.cpu_count()} cores; whole processes, "
        f"medians of {len(outcomes[USUAL])} interleaved rounds\n",
        "| system | seconds | trials per minute | times as fast as the usual design | best validation accuracy |",
        "|---|---|---|---|---|",
    ]
    for name, runs in outcomes.items():
        if name == DEFAULT:
            continue
        seconds = statistics.median(run.seconds for run in runs)
        ratio = statistics.median(u.seconds / run.seconds for u, run in zip(outcomes[USUAL], runs, strict=True))
        best = statistics.median(run.best for run in runs)
        lines.append(f"| {name} | {seconds:.1f} | {60 * _n_points() / seconds:.1f} | {ratio:.1f} | {best:.4f} |")
    return "\n".join(lines)


def target_table(outcomes: dict[str, list[Outcome]]) -> str:
    """Seconds from the start of the process to the best accuracy that the usual design found in its whole search."""
    target = statistics.median(run.best for run in outcomes[USUAL])
    usual = statistics.median(run.seconds for run in outcomes[USUAL])
    ours = statistics.median(run.seconds_until(target) for run in outcomes[DEFAULT])
    return (
        f"Seconds until a trial reaches {target:.4f}, the best of the usual design's whole search\n\n"
        "| system | seconds | times as soon |\n|---|---|---|\n"
        f"| {USUAL}, whole search | {usual:.1f} | 1.0 |\n| {DEFAULT} | {ours:.1f} | {usual / ours:.1f} |"
    )


def _systems(store: BenchmarkStore) -> dict[str, list[str]]:
    rival = [sys.executable, "-m"]
    given = [str(store.data), str(EPOCHS)]
    tune = [sys.executable, "-m", "steps.tune", "--data-run-id", store.data_run_id]
    fixed = ["--space", str(HERE / "space.yaml"), "--points", str(HERE / "points.yaml"), "--max-epochs", str(EPOCHS)]
    ours = [*tune, *fixed, "--pruner", "none", "--n-trials", str(_n_points())]
    return {
        USUAL: [*rival, "benchmarks.rivals.usual", *given],
        "KerasTuner": [*rival, "benchmarks.rivals.keras_tuner", *given],
        "Ray Tune": [*rival, "benchmarks.rivals.ray_tune", *given, str(_n_points())],
        "this project, float32": [*ours, "--precision", "float32"],
        "this project, auto": [*ours, "--precision", "auto"],
        DEFAULT: [*tune, "--n-trials", "4"],
    }


def _n_points() -> int:
    return len(yaml.safe_load((HERE / "points.yaml").read_text()))
