"""`python systems.py NAME FOLDER SECONDS SEED`: each rival as its users would use it, within the seconds."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import optuna
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from task import Task

_FINAL = 1.3  # seconds of the final fit, on all rows, for one of the trial
_LAST = 3  # seconds in which KerasTuner reads its best model back and applies it
_PATIENCE, _MOST = 50, 4000  # rounds of boosting
Frames = tuple[pd.DataFrame, pd.DataFrame]
Rows = tuple[pd.DataFrame, np.ndarray]  # x, y
Check = Callable[[], bool]


def categories(task: Task) -> Frames:
    """Training and test rows with words as categories of pandas, and dates as numbers."""
    parts = []
    for frame in (task.x, task.test):
        frame = frame.copy()
        for name in frame.columns:
            if pd.api.types.is_datetime64_any_dtype(frame[name]):
                frame[name] = frame[name].astype("int64") / 1e9
            elif not pd.api.types.is_numeric_dtype(frame[name]):
                levels = sorted(task.x[name].dropna().astype(str).unique())
                words = frame[name].astype(str).where(frame[name].notna())
                frame[name] = pd.Categorical(words, categories=levels)
        parts.append(frame)
    return parts[0], parts[1]


def outputs(model: Any, rows: pd.DataFrame, task: Task) -> np.ndarray:
    return np.asarray(model.predict_proba(rows) if task.n_classes else model.predict(rows))


def loss(task: Task, y: np.ndarray, found: np.ndarray) -> float:
    return log_loss(y, found, labels=range(task.n_classes)) if task.n_classes else root_mean_squared_error(y, found)


def tuned(task: Task, space: Callable[[optuna.Trial], dict[str, Any]], fit: Callable[..., tuple[Any, int]]) -> None:
    """Optuna's TPE on a holdout with early stopping, then a fit on all rows with the best number of rounds.

    A trial ends with the rounds that it has as soon as a final fit of as many would take all the time left.

    Args:
        fit: (task, parameters, rows, validation rows, whether to end) -> model and its number of rounds; without
            validation rows, `parameters` has the number of rounds as `rounds`.
    """
    x, test = categories(task)
    stratify = task.y if task.n_classes and np.bincount(task.y).min() > 1 else None
    parts = train_test_split(x, task.y, test_size=0.2, random_state=task.seed, stratify=stratify)
    x_train, x_validation, y_train, y_validation = parts
    longest = 0.0

    def objective(trial: optuna.Trial) -> float:
        nonlocal longest
        begun = time.monotonic()

        def is_over() -> bool:
            return task.left() < _FINAL * max(longest, time.monotonic() - begun)

        model, rounds = fit(task, space(trial), (x_train, y_train), (x_validation, y_validation), is_over)
        trial.set_user_attr("rounds", rounds)
        if is_over():
            trial.study.stop()
        longest = max(longest, time.monotonic() - begun)
        return loss(task, y_validation, outputs(model, x_validation, task))

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=task.seed))
    study.optimize(objective)
    best = study.best_trial
    final = {**space(optuna.trial.FixedTrial(best.params)), "rounds": best.user_attrs["rounds"]}
    model, _ = fit(task, final, (x, task.y))
    task.answer(outputs(model, test, task))


def boosting_space(trial: optuna.Trial) -> dict[str, Any]:
    """Hyperparameters that LightGBM and XGBoost name alike."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 1e-3, 30.0, log=True),
    }


def lightgbm_space(trial: optuna.Trial) -> dict[str, Any]:
    return {
        **boosting_space(trial),
        "num_leaves": trial.suggest_int("num_leaves", 4, 256, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 2, 100, log=True),
    }


def fit_lightgbm(
    task: Task, parameters: dict[str, Any], rows: Rows, validation: Rows | None = None, is_over: Check = lambda: False
) -> tuple[Any, int]:
    import lightgbm

    kind = lightgbm.LGBMClassifier if task.n_classes else lightgbm.LGBMRegressor
    rounds = parameters.pop("rounds", _MOST)
    model = kind(**parameters, n_estimators=rounds, subsample_freq=1, random_state=task.seed, verbose=-1)
    if validation is None:
        return model.fit(*rows), rounds
    stop = lightgbm.early_stopping(_PATIENCE, verbose=False)

    def end(env: Any) -> None:
        if is_over():
            raise lightgbm.EarlyStopException(env.iteration, env.evaluation_result_list)

    model.fit(*rows, eval_set=[validation], callbacks=[stop, end])
    return model, int(model.best_iteration_ or rounds)


def xgboost_space(trial: optuna.Trial) -> dict[str, Any]:
    return {
        **boosting_space(trial),
        "max_depth": trial.suggest_int("max_depth", 2, 10),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.1, 50.0, log=True),
    }


def fit_xgboost(
    task: Task, parameters: dict[str, Any], rows: Rows, validation: Rows | None = None, is_over: Check = lambda: False
) -> tuple[Any, int]:
    import xgboost

    kind = xgboost.XGBClassifier if task.n_classes else xgboost.XGBRegressor
    rounds = parameters.pop("rounds", _MOST)
    about = {**parameters, "n_estimators": rounds, "enable_categorical": True, "random_state": task.seed}
    if validation is None:
        return kind(**about).fit(*rows), rounds

    class End(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            return epoch > 0 and is_over()  # after the first round, early stopping knows a best one

    model = kind(**about, early_stopping_rounds=_PATIENCE, callbacks=[End()])
    model.fit(*rows, eval_set=[validation], verbose=False)
    return model, int(model.best_iteration) + 1


def catboost_space(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "depth": trial.suggest_int("depth", 3, 9),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 0.1, 30.0, log=True),
        "random_strength": trial.suggest_float("random_strength", 0.1, 10.0, log=True),
    }


def fit_catboost(
    task: Task, parameters: dict[str, Any], rows: Rows, validation: Rows | None = None, is_over: Check = lambda: False
) -> tuple[Any, int]:
    import catboost

    kind = catboost.CatBoostClassifier if task.n_classes else catboost.CatBoostRegressor
    x, y = rows
    words = [name for name in x.columns if isinstance(x[name].dtype, pd.CategoricalDtype)]
    rounds = parameters.pop("rounds", _MOST)

    def strings(frame: pd.DataFrame) -> pd.DataFrame:  # CatBoost refuses missing categories
        return frame.assign(**{name: frame[name].astype(object).fillna("missing").astype(str) for name in words})

    model = kind(
        **parameters, n_estimators=rounds, cat_features=words, random_seed=task.seed, verbose=False,
        allow_writing_files=False,
    )  # fmt: skip
    pipeline = make_pipeline(FunctionTransformer(strings), model)
    if validation is None:
        return pipeline.fit(x, y), rounds

    class End:
        def after_iteration(self, info: Any) -> bool:
            return not is_over()

    checked = (strings(validation[0]), validation[1])
    model.fit(strings(x), y, eval_set=checked, early_stopping_rounds=_PATIENCE, callbacks=[End()])
    return pipeline, int(model.tree_count_)


def hist_space(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "max_iter": trial.suggest_int("max_iter", 30, 1000, log=True),
        "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 128, log=True),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 2, 100, log=True),
        "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 30.0, log=True),
    }


def fit_hist(task: Task, parameters: dict[str, Any], rows: Rows, *_: Any) -> tuple[Any, int]:
    kind = HistGradientBoostingClassifier if task.n_classes else HistGradientBoostingRegressor
    parameters.pop("rounds", None)  # max_iter

    def narrow(frame: pd.DataFrame) -> pd.DataFrame:  # codes of columns with more levels than it takes
        words = frame.select_dtypes("category")
        wide = [name for name in words if len(words[name].cat.categories) > 255]
        return frame.assign(**{name: frame[name].cat.codes for name in wide})

    model = make_pipeline(FunctionTransformer(narrow), kind(**parameters, random_state=task.seed))
    return model.fit(*rows), parameters.get("max_iter", 100)


def hist_gradient_boosting(task: Task) -> None:
    x, test = categories(task)
    task.answer(outputs(fit_hist(task, {}, (x, task.y))[0], test, task))


def one_hot() -> ColumnTransformer:
    """Words as indicators, scaled numbers."""
    words = make_column_selector(dtype_include="category")
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", min_frequency=5), words),
        remainder=make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()),
        sparse_threshold=0,
    )


def linear(task: Task) -> None:
    x, test = categories(task)
    head = LogisticRegression(max_iter=1000) if task.n_classes else RidgeCV(np.logspace(-2, 4, 13))
    task.answer(outputs(make_pipeline(one_hot(), head).fit(x, task.y), test, task))


def keras_tuner(task: Task) -> None:
    """A plain MLP tuned by KerasTuner's Bayesian optimization, with early stopping; the best model answers.

    It learns a standardized number, as networks do.
    """
    import keras
    import keras_tuner

    x, test = categories(task)
    encode = one_hot().fit(x)
    x, test = encode.transform(x).astype(np.float32), encode.transform(test).astype(np.float32)
    mean, scale = (0, 1) if task.n_classes else (task.y.mean(), task.y.std())
    y = (task.y - mean) / scale
    stratify = task.y if task.n_classes and np.bincount(task.y).min() > 1 else None
    parts = train_test_split(x, y, test_size=0.2, random_state=task.seed, stratify=stratify)
    x_train, x_validation, y_train, y_validation = parts

    def build(hp: Any) -> keras.Model:
        model = keras.Sequential([keras.Input((x.shape[1],))])
        for i in range(hp.Int("n_layers", 1, 3)):
            model.add(keras.layers.Dense(hp.Choice(f"units_{i}", [64, 128, 256]), "relu"))
            model.add(keras.layers.Dropout(hp.Float("dropout", 0, 0.5)))
        model.add(keras.layers.Dense(task.n_classes or 1, "softmax" if task.n_classes else None))
        kind = "sparse_categorical_crossentropy" if task.n_classes else "mse"
        model.compile(keras.optimizers.Adam(hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")), kind)
        return model

    class InTime(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            self.model.stop_training = self.model.stop_training or is_over()

    def is_over() -> bool:
        return task.left() < _LAST

    class Tuner(keras_tuner.BayesianOptimization):
        def on_trial_end(self, trial: Any) -> None:
            super().on_trial_end(trial)
            if is_over():
                self.oracle.max_trials = 1

    tuner = Tuner(build, "val_loss", max_trials=1000, seed=task.seed, directory=task.folder, overwrite=True)
    callbacks = [keras.callbacks.EarlyStopping(patience=10), InTime()]
    tuner.search(
        x_train, y_train, validation_data=(x_validation, y_validation), batch_size=128, epochs=200, verbose=0,
        callbacks=callbacks,
    )  # fmt: skip
    found = tuner.get_best_models()[0].predict(test, verbose=0)
    task.answer(found.astype(np.float64) if task.n_classes else found[:, 0] * scale + mean)


def realmlp(task: Task) -> None:
    """RealMLP with its tuned defaults; for classes, as its authors advise for the log loss."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    if task.n_classes:
        ensemble(task, partial(RealMLP_TD_Classifier, use_ls=False, val_metric_name="cross_entropy"))
    else:
        ensemble(task, RealMLP_TD_Regressor)


def tabm(task: Task) -> None:
    """TabM with its defaults; for classes, the best epoch is that of the log loss."""
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    if task.n_classes:
        ensemble(task, partial(TabM_D_Classifier, val_metric_name="cross_entropy"))
    else:
        ensemble(task, TabM_D_Regressor)


def ensemble(task: Task, kind: Callable[..., Any]) -> None:
    """The mean of as many networks as the time allows (at most 8); missing numbers are filled, as they take none."""
    x, test = categories(task)
    medians = x.median(numeric_only=True).fillna(0)
    x, test = x.fillna(medians), test.fillna(medians)
    found, begun = [], time.monotonic()
    while len(found) < 8:
        model = kind(random_state=task.seed + 100 * len(found), device="cpu", n_threads=2, verbosity=0)
        found.append(outputs(model.fit(x, task.y), test, task))
        if task.left() < 1.2 * (time.monotonic() - begun) / len(found):
            break
    task.answer(np.mean(found, axis=0))


def autogluon(task: Task, preset: str) -> None:
    from autogluon.tabular import TabularPredictor

    metric = "log_loss" if task.n_classes else "root_mean_squared_error"
    predictor = TabularPredictor("target", path=str(task.folder / "autogluon"), eval_metric=metric, verbosity=0)
    predictor.fit(task.x.assign(target=task.y), time_limit=0.9 * task.left(), presets=preset, num_cpus=2)
    found = predictor.predict_proba(task.test) if task.n_classes else predictor.predict(task.test)
    task.answer(found.to_numpy())


SYSTEMS: Mapping[str, Callable[[Task], None]] = {
    "linear": linear,
    "HistGradientBoosting": hist_gradient_boosting,
    "HistGradientBoosting, tuned": lambda task: tuned(task, hist_space, fit_hist),
    "LightGBM, tuned": lambda task: tuned(task, lightgbm_space, fit_lightgbm),
    "XGBoost, tuned": lambda task: tuned(task, xgboost_space, fit_xgboost),
    "CatBoost, tuned": lambda task: tuned(task, catboost_space, fit_catboost),
    "RealMLP": realmlp,
    "TabM": tabm,
    "MLP, KerasTuner": keras_tuner,
    "AutoGluon, medium": lambda task: autogluon(task, "medium_quality"),
    "AutoGluon, best": lambda task: autogluon(task, "best_quality"),
}

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    system, given = Task.from_arguments()
    SYSTEMS[system](given)
