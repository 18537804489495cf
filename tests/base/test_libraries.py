"""Independence from settings that a user made for other programs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.running import run_command, script, succeeded

HOSTILE = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # as in every Jupyter shell
    "KERAS_BACKEND": "torch",
    "KERAS_MAX_EPOCHS": "1",
    "KERAS_MAX_STEPS_PER_EPOCH": "1",
    "TF_USE_LEGACY_KERAS": "1",
    "XLA_FLAGS": "--xla_of_another_version=1",  # TensorFlow would end the process
    "TF_XLA_FLAGS": "--tf_xla_of_another_version=1",
}
KERAS_JSON = {"floatx": "float16", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"}
LOOK = """
from steps.base.libraries import import_tensorflow
import_tensorflow()
import json, keras, matplotlib as mpl, numpy as np, tensorflow as tf
tf.function(lambda x: x + 1, jit_compile=True)(tf.ones(3))
from steps.report.charts.chart import canvas
canvas()[0].savefig("figure.png")
inputs = keras.Input((3,))
model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
print(json.dumps({
    "backend": keras.config.backend(), "floatx": keras.config.floatx(), "epsilon": keras.config.epsilon(),
    "image_data_format": keras.config.image_data_format(), "drawn_by": mpl.get_backend(),
    "usetex": mpl.rcParams["text.usetex"], "n_predicted": len(model.predict(np.ones((100, 3)), verbose=0)),
}))
"""


def test_settings_of_keras_and_matplotlib_do_not_reach_a_step(tmp_path: Path) -> None:
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(KERAS_JSON))
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nbackend: nonsense\n")
    homes = {"HOME": str(tmp_path), "KERAS_HOME": str(tmp_path / ".keras"), "MATPLOTLIBRC": str(tmp_path)}
    done = run_command(script(LOOK), tmp_path, **HOSTILE, **homes)
    assert json.loads(succeeded(done).splitlines()[-1]) == {
        "backend": "tensorflow", "floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last",
        "drawn_by": "agg", "usetex": False, "n_predicted": 100,
    }  # fmt: skip
    assert json.loads((tmp_path / ".keras" / "keras.json").read_text()) == KERAS_JSON
