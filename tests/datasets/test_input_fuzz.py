"""Any damage to a file with rows to predict is one line, or a bad row; never another error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from steps.base.errors import InputError
from steps.datasets.inputs import open_input
from steps.datasets.interface import Interface
from tests.datasets.test_input_named import CUSTOMERS
from tests.datasets.test_inputs import PIXELS, write

pytestmark = pytest.mark.slow
_ROUNDS = 300
_PIECES = (b'"', b",", b"\n", b"\r", b"\x00", b"\xff", b"\xc3", b"1e999", b"nan", b";", b"\t", b'""', b"9" * 50)


def pixels(path: Path) -> Path:
    if path.suffix in (".png", ".jpg"):
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)).save(path)
        return path
    return write(path, labelled=path.suffix != ".npy")


def customers(path: Path) -> Path:
    assert CUSTOMERS.columns is not None
    names = [*CUSTOMERS.columns.schema.names, "plan"]
    cells = {name: [1.5, 2, 3, None] * 10 if i % 2 else ["a", "b", None, "c"] * 10 for i, name in enumerate(names)}
    frame = pd.DataFrame(cells)
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".parquet":
            frame.to_parquet(path)
        case ".feather":
            frame.to_feather(path)
        case _:
            np.savez(path, **{name: np.array(column, "U8") for name, column in frame.items()})  # type: ignore[arg-type]
    return path


def damaged(whole: bytes, rng: np.random.Generator, *, is_text: bool) -> bytes:
    content = bytearray(whole)
    for position in rng.integers(0, len(content), rng.integers(1, 6)):
        content[position] = rng.integers(0, 256)
    if is_text:
        for _ in range(rng.integers(0, 4)):
            position = rng.integers(0, len(content) + 1)
            content[position:position] = _PIECES[rng.integers(0, len(_PIECES))]
    if rng.random() < 0.3:
        del content[rng.integers(0, len(content)) :]
    return bytes(content)


@pytest.mark.parametrize(
    ("make", "interface", "suffix"),
    [
        *((pixels, PIXELS, suffix) for suffix in (".csv", ".parquet", ".npy", ".npz", ".png", ".jpg")),
        *((customers, CUSTOMERS, suffix) for suffix in (".csv", ".parquet", ".feather", ".npz")),
    ],
)
def test_damage_is_refused_or_costs_a_row(
    make: Callable[[Path], Path],
    interface: Interface,
    suffix: str,
    tmp_path: Path,
    seed: int,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path, rng = make(tmp_path / f"rows{suffix}"), np.random.default_rng(seed)
    whole, n_bad, reasons = path.read_bytes(), 0, list[str]()
    for _ in range(_ROUNDS):
        path.write_bytes(damaged(whole, rng, is_text=suffix == ".csv"))
        try:
            for chunk in open_input(str(path), interface):
                assert len(chunk.names) == len(chunk.keys)
                n_bad += len(chunk.bad)
        except InputError as error:
            reasons.append(str(error))
    assert reasons or n_bad
    assert all(reason.startswith("input ") for reason in reasons)
    assert "Traceback" not in capfd.readouterr().err
