"""`make bench`: the README's claims about speed, measured on this machine; Markdown on standard output."""

from __future__ import annotations

import subprocess
import sys

import click

from benchmarks.speed import measure, speed_table, target_table
from steps.base.libraries import quiet_libraries


@click.command()
@click.option("--repeats", default=3, show_default=True, help="Rounds of the comparison; each runs every system once.")
def main(repeats: int) -> None:
    """Print the tables: speed, share of the GEMM peak, time to a target, overhead per trial, cost of scale."""
    quiet_libraries()
    outcomes = measure(repeats)
    click.echo(f"## 1. Speed\n\n{speed_table(outcomes)}\n")
    click.echo("## 2. Share of the GEMM peak\n")
    _print("benchmarks.peak")
    click.echo(f"\n## 3. Time to a target\n\n{target_table(outcomes)}\n")
    click.echo("## 4. Overhead per trial\n")
    _print("benchmarks.overhead")
    click.echo("## 5. Cost of scale")
    _print("benchmarks.scale")


def _print(module: str) -> None:
    """Run a table in a process of its own, as threads and imports are set once per process."""
    click.echo(subprocess.run([sys.executable, "-m", module], stdout=subprocess.PIPE, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
