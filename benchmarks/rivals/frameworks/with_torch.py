"""PyTorch: data as tensors, fused Adam, one thread per process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import mlflow
import torch
from processes import BATCH_SIZE, load, optimize
from torch import nn


def train(point: dict[str, Any], folder: Path, epochs: int, precision: str) -> float:
    torch.set_num_threads(1)
    (x, y), (x_val, y_val) = (map(torch.from_numpy, load(folder, split)) for split in ("train", "validation"))
    first, second, dropout = point["units_0"], point["units_1"], point["dropout"]
    model = nn.Sequential(
        nn.Linear(784, first), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(first, second), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(second, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=point["learning_rate"], fused=True)
    mixed = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")
    for epoch in range(epochs):
        model.train()
        total = torch.zeros(())
        for rows in torch.randperm(len(x)).split(BATCH_SIZE):
            optimizer.zero_grad()
            with mixed:
                logits = model(x[rows])
            loss = nn.functional.cross_entropy(logits.float(), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
        model.eval()
        with torch.inference_mode(), mixed:
            logits = model(x_val).float()
        accuracy = float((logits.argmax(1) == y_val).float().mean())
        log_loss = float(nn.functional.cross_entropy(logits, y_val))
        logs = {"train_loss": float(total) / len(x), "val_log_loss": log_loss, "val_accuracy": accuracy}
        mlflow.log_metrics(logs, step=epoch + 1)
    return accuracy


if __name__ == "__main__":
    optimize(train, Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
