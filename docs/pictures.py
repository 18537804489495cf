"""`make pictures`: the pictures of the README, from real runs in a folder of their own -> docs/images/*.png."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click
from mlflow.tracking import MlflowClient
from PIL import Image
from playwright.sync_api import FloatRect, Page, sync_playwright
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from benchmarks.own_data import TABLES
from deploy.postgresql import free_port
from steps.tracking.ui_urls import experiment_url
from tests.running import module, serving

PROJECT = Path(__file__).parents[1]
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
IMAGES = Path(__file__).parent / "images"
COLUMNS = 88
CLIP: FloatRect = {"x": 0, "y": 0, "width": 1280, "height": 1250}
DATA, REPORT = ("download", "data.html"), ("evaluate", "report.html")  # steps and their artifacts
TABLES_SHOWN = {"wa_churn": {"churn-data": DATA, "churn-report": REPORT}, "ames": {"prices-report": REPORT}}
_CODE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)|\x1b")


@click.command()
@click.option("--dataset", default="mnist", show_default=True)
@click.option("--trials", default=20, show_default=True)
@click.option("--epochs", default=10, show_default=True, help="Of each trial, and of the final training.")
@click.option("--table-trials", default=10, show_default=True, help="Of each study of a table.")
@click.option("--chromium", default="/usr/bin/chromium", show_default=True, type=click.Path(exists=True))
def main(dataset: str, trials: int, epochs: int, table_trials: int, chromium: str) -> None:
    """Run main on images and on two tables, open the results in a browser, and write PNG files."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        uri = f"sqlite:///{folder}/mlflow.db"
        given = {"dataset": dataset, "n_trials": trials, "max_epochs": epochs, "final_epochs": epochs}
        options = [f"--{key.replace('_', '-')}={value}" for key, value in given.items()]
        env = {**os.environ, "MLFLOW_TRACKING_URI": uri, "PYTHONPATH": str(PROJECT)}
        seen = on_a_terminal([sys.executable, "-m", "steps.main", *options], folder, env)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900}, device_scale_factor=1)
        page.set_default_timeout(0)
        take_terminal(page, seen, trials)
        take_reports(page, uri)
        for table, pictures in TABLES_SHOWN.items():
            take_table(page, table, pictures, table_trials, folder / table)
        page.set_viewport_size({"width": 1400, "height": 400 + 32 * (trials + 5)})  # a line for each run
        take_tree(page, uri, folder)
        browser.close()
    for path in sorted(IMAGES.glob("*.png")):
        click.echo(f"{path.relative_to(PROJECT)} {path.stat().st_size // 1000} kB")


def on_a_terminal(command: list[str], folder: Path, env: dict[str, str]) -> str:
    """Everything that a command writes to a terminal of `COLUMNS` columns."""
    leader, follower = pty.openpty()
    env = {**env, "COLUMNS": str(COLUMNS), "LINES": "30", "TERM": "xterm-256color"}
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=follower, stderr=follower, stdin=follower)
    os.close(follower)
    written = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # how Linux says that nobody holds the other end any more
            break
        if not part:
            break
        written += part
    if process.wait():
        raise SystemExit(f"{' '.join(command)} failed:\n{written.decode(errors='replace')[-3000:]}")
    return written.decode(errors="replace")


def take_terminal(page: Page, written: str, trials: int) -> None:
    """The display with the most running trials, in the second half of the study."""
    frames = []  # (running trials, where the next frame begins)
    for found in re.finditer(rf"(\d+)/{trials} trials", written):
        end = written.find("\x1b[2K", found.start())
        text = written[found.start() : end]
        if int(found[1]) >= trials / 2:
            frames.append((text.count("  epoch "), end))
    if not frames:
        raise SystemExit("the display was never seen; is rich told that there is no terminal?")
    *_, end = max(frames)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for text in screen(written[:end]):
        console.print(Text.from_ansi(text), overflow="fold")
    page.set_content(console.export_html(theme=DIMMED_MONOKAI, inline_styles=True))
    page.add_style_tag(content="pre { display: inline-block; padding: 1rem; font-size: 14px; margin: 0 }")
    save(page.locator("pre").screenshot(), "terminal")


def screen(written: str) -> list[str]:
    """The lines that stand on a terminal after this was written: moves up and erased lines are carried out."""
    lines, row = [""], 0
    for numbers, letter, move, text in (match.groups(default="") for match in _CODE.finditer(written)):
        if move == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif letter == "A":
            row = max(0, row - int(numbers or 1))
        elif letter == "K":
            lines[row] = ""
        elif letter == "m":
            lines[row] += f"\x1b[{numbers}m"
        else:
            lines[row] += text
    return [text for text in lines if text.strip()]


def take_reports(page: Page, uri: str) -> None:
    """The study report, and the history of its trials."""
    client = MlflowClient(uri)
    (tune,) = client.search_runs(["0"], "tags.`pipeline.step` = 'tune'")
    report = Path(client.download_artifacts(tune.info.run_id, "report.html"))
    page.goto(report.as_uri())
    save(page.screenshot(clip=CLIP, full_page=True), "study-report")
    history = Path(client.download_artifacts(tune.info.run_id, "figures/optimization_history.png"))
    save(history.read_bytes(), "trials")


def take_table(page: Page, name: str, pictures: Mapping[str, tuple[str, str]], trials: int, folder: Path) -> None:
    """Run main on a table of benchmarks.own_data, and take the beginning of each page by the name of its picture."""
    folder.mkdir()
    table = next(table for table in TABLES if table.name == name)
    table.frame().to_csv(folder / f"{name}.csv", index=False)
    uri = f"sqlite:///{folder}/mlflow.db"
    given = [f"--dataset={name}.csv", f"--target={table.target}", f"--n-trials={trials}"]
    env = {**os.environ, "MLFLOW_TRACKING_URI": uri, "PYTHONPATH": str(PROJECT)}
    subprocess.run(module("steps.main", *given), cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
    client = MlflowClient(uri)
    for picture, (step, artifact) in pictures.items():
        (run,) = client.search_runs(["0"], f"tags.`pipeline.step` = '{step}'")
        page.goto(Path(client.download_artifacts(run.info.run_id, artifact)).as_uri())
        save(page.screenshot(clip=CLIP, full_page=True), picture)


def take_tree(page: Page, uri: str, folder: Path) -> None:
    """The runs in the MLflow UI, three levels open."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = module("mlflow", "ui", "--port", str(port), "--workers", "1", "--backend-store-uri", uri)
    with serving(command, folder, f"{url}/health"):
        page.goto(experiment_url(url, "0"))
        for name in ("main", "tune"):
            row = page.locator(".ag-row").filter(has=page.get_by_role("link", name=name, exact=True))
            row.locator("[col-id*='Run Name'] button").click()
        page.get_by_role("link", name="trial-000", exact=True).wait_for()
        for close in reversed(page.get_by_role("button", name="Close").all()):  # of panels and notices
            close.click()
        page.wait_for_timeout(1500)  # panels move
        save(page.screenshot(), "run-tree")


def save(png: bytes, name: str) -> None:
    """Write a picture in 128 colours, which is a third of the size."""
    path = IMAGES / f"{name}.png"
    path.write_bytes(png)
    Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main()
