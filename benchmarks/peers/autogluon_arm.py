"""AutoGluon in its own environment: ``python autogluon_arm.py TRAIN TEST TARGET METRIC SECONDS OUTPUT [PRESET]``."""

import sys

import pandas as pd
from autogluon.tabular import TabularPredictor

train_path, test_path, target, metric, seconds, output, preset = [*sys.argv[1:], "best_quality"][:7]
names = {"rmse": "root_mean_squared_error", "roc_auc": "roc_auc", "log_loss": "log_loss", "average_precision": "average_precision"}
train, test = pd.read_csv(train_path), pd.read_csv(test_path)
# with little time, what looks for a leak between stack layers takes a quarter of it, and on large tables all: then without
leak_check = {} if float(seconds) > 120 or preset != "best_quality" else {"dynamic_stacking": False}
# whole numbers of few values would be taken for classes
task = {"problem_type": "regression"} if metric == "rmse" else {}
predictor = TabularPredictor(label=target, eval_metric=names[metric], path=output + ".models", **task)
predictor.fit(train, presets=preset, time_limit=float(seconds), num_cpus=2, num_gpus=0, **leak_check)
if predictor.problem_type == "regression":
    predicted = predictor.predict(test).to_frame()
else:
    predicted = predictor.predict_proba(test)
    if predictor.problem_type == "binary":
        predicted = predicted[[predictor.positive_class]]
predicted.to_csv(output, index=False)
