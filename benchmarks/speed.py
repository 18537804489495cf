"""`python -m benchmarks.speed`: ten fixed trials of 5 epochs on MNIST with each system; tables 1 and 3 of `make bench`.

Each system is a process of its own, with its imports and its logging to MLflow. They run one after the other in each
round, so that a slow minute of the machine counts for all of them.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
import yaml

from benchmarks.systems import HERE, BenchmarkStore, Outcome, environment
from steps.mlp.runtime import hardware

EPOCHS = 5
USUAL, DEFAULT = "usual design", "this project, as `tune` comes"
_FRAMEWORKS = (  # with an environment of their own
    "jax==0.10.2", "mlflow==3.17.2", "numpy==2.4.6", "optax==0.2.8", "optuna==5.0.0", "pyyaml==6.0.3", "torch==2.13.0",
)  # fmt: skip


@click.command()
@click.option("--repeats", default=3, show_default=True, help="Rounds.")
@click.option("--systems", default="", help="Names of systems, separated by semicolons; empty: all.")
def main(repeats: int, systems: str) -> None:
    """Print the table."""
    click.echo(speed_table(measure(repeats, systems.split(";") if systems else ())))


def measure(repeats: int, systems: Sequence[str] = ()) -> dict[str, list[Outcome]]:
    """Run every system `repeats` times, one after the other in each round.

    Args:
        systems: Names; empty for all.
    """
    outcomes: dict[str, list[Outcome]] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = BenchmarkStore(Path(folder))
        commands = _systems(store)
        if unknown := set(systems) - set(commands):
            raise click.UsageError(f"systems must be among {'; '.join(commands)}, got {'; '.join(sorted(unknown))}")
        for repeat in range(repeats):
            for name in systems or commands:
                outcome = store.run(commands[name], f"{name}, round {repeat}")
                outcomes.setdefault(name, []).append(outcome)
                click.echo(f"round {repeat + 1} of {repeats}: {name}, {outcome.seconds:.1f} s", err=True)
    return outcomes


def speed_table(outcomes: dict[str, list[Outcome]]) -> str:
    """Wall seconds, trials per minute, ratio to the usual design within each round, best validation accuracy."""
    reference, *_ = outcomes
    lines = [
        f"Ten fixed trials x {EPOCHS} epochs, MNIST 50,000 / 10,000; whole processes, medians of "
        f"{len(outcomes[reference])} interleaved rounds; "
        + "{processor}, {cores} cores, {cpu_features}\n".format_map(hardware()),
        f"| system | seconds | trials per minute | speed relative to {reference} | best validation accuracy |",
        "|---|---|---|---|---|",
    ]
    for name, runs in outcomes.items():
        if name == DEFAULT:
            continue
        seconds = statistics.median(run.seconds for run in runs)
        ratio = statistics.median(r.seconds / run.seconds for r, run in zip(outcomes[reference], runs, strict=True))
        best = statistics.median(run.best for run in runs)
        lines.append(f"| {name} | {seconds:.1f} | {60 * _n_points() / seconds:.1f} | {ratio:.2f} | {best:.4f} |")
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
    python = environment(".venv-frameworks", _FRAMEWORKS)
    scripts = HERE / "rivals" / "frameworks"
    pytorch, jax = ([str(python), str(scripts / name), *given] for name in ("with_torch.py", "with_jax.py"))
    tune = [sys.executable, "-m", "steps.tune", "--data-run-id", store.data_run_id]
    fixed = ["--space", str(HERE / "space.yaml"), "--points", str(HERE / "points.yaml"), "--max-epochs", str(EPOCHS)]
    ours = [*tune, *fixed, "--pruner", "none", "--n-trials", str(_n_points())]
    return {
        USUAL: [*rival, "benchmarks.rivals.usual", *given],
        "KerasTuner": [*rival, "benchmarks.rivals.keras_tuner", *given],
        "Ray Tune": [*rival, "benchmarks.rivals.ray_tune", *given, str(_n_points())],
        "PyTorch, float32": [*pytorch, "float32"],
        "PyTorch, bfloat16": [*pytorch, "bfloat16"],
        "JAX, float32": [*jax, "float32"],
        "JAX, bfloat16": [*jax, "bfloat16"],
        "this project, float32": [*ours, "--precision", "float32"],
        "this project, auto": [*ours, "--precision", "auto"],
        DEFAULT: [*tune, "--n-trials", "4"],
    }


def _n_points() -> int:
    return len(yaml.safe_load((HERE / "points.yaml").read_text()))


if __name__ == "__main__":
    main()
