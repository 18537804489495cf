"""Set-up of the libraries in this process: their settings, their logging, and the import of TensorFlow."""

from __future__ import annotations

import gc
import logging
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from steps.base.redaction import RedactingFormatter

# Before MLflow and TensorFlow are imported anywhere; a person's own setting wins.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if platform.machine() in ("x86_64", "AMD64"):  # TensorFlow's default with AVX512-VNNI; faster with AVX2, too
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # else the first process takes all memory of a GPU
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "error")
# What a person has set for other programs, and what would change a result here or break a step.
os.environ["MPLBACKEND"] = "agg"  # not that of a notebook around it, which may not be installed here
os.environ["MATPLOTLIBRC"] = os.devnull
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["KERAS_HOME"] = os.devnull  # neither read nor write a keras.json: it may set another type of numbers
for name in (
    "KERAS_MAX_EPOCHS",  # this one and the next cut predictions off
    "KERAS_MAX_STEPS_PER_EPOCH",
    "TF_XLA_FLAGS",
):
    os.environ.pop(name, None)
# Flags that were set for JAX, perhaps, would end the process without a word. On a GPU, XLA's autotuning would time the
# kernels for each product and take the fastest: equal trainings would differ by chance.
os.environ["XLA_FLAGS"] = "--xla_gpu_autotune_level=0"


def quiet_libraries() -> None:
    """Silence log lines and warnings that mean nothing to the person; real failures are raised as errors."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter("%(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in ("tensorflow", "mlflow.utils.requirements_utils", "mlflow.models.model"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it logs a traceback, then raises
    warnings.simplefilter("ignore")


def import_tensorflow() -> None:
    """Import TensorFlow, without the lines that its C++ part writes before it reads any setting."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 -- a device, not a file
        os.dup2(nowhere.fileno(), 2)
    try:
        with _not_installed("sklearn", "matplotlib"):
            import keras
            import tensorflow as tf

        tf.config.list_physical_devices()  # the search for devices writes lines too
        # On a GPU, products of float32 are of TensorFloat-32 unless told otherwise: three digits, which depend on the
        # size of the batch, so that a model that was read back gave other outputs than before.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        keras.config.disable_interactive_logging()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    gc.freeze()
    gc.enable()


@contextmanager
def _not_installed(*names: str) -> Iterator[None]:
    """Make imports of these packages fail, unless they are imported already.

    Keras imports scikit-learn and matplotlib if it finds them, for wrappers and plots that no step uses. Without them
    the import of TensorFlow takes 2.5 s of processor time, not 4.0 s, in each process that trains.
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is what makes `import` fail
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
