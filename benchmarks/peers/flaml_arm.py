"""FLAML in its own environment: ``python flaml_arm.py TRAIN TEST TARGET METRIC SECONDS OUTPUT``."""

import sys

import pandas as pd
from flaml import AutoML

train_path, test_path, target, metric, seconds, output = sys.argv[1:]
train, test = pd.read_csv(train_path), pd.read_csv(test_path)
task = "regression" if metric == "rmse" else "classification"
names = {"rmse": "rmse", "roc_auc": "roc_auc", "log_loss": "log_loss", "average_precision": "ap"}
automl = AutoML()
automl.fit(
    train.drop(columns=target), train[target], task=task, metric=names[metric], time_budget=float(seconds), n_jobs=2, ensemble=True, seed=0
)
if task == "regression":
    predicted = pd.DataFrame({"prediction": automl.predict(test)})
else:
    predicted = pd.DataFrame(automl.predict_proba(test), columns=[str(one) for one in automl.classes_])
    predicted = predicted.iloc[:, [1]] if predicted.shape[1] == 2 else predicted
predicted.to_csv(output, index=False)
