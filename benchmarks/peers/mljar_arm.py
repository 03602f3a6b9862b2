"""mljar in its own environment: ``python mljar_arm.py TRAIN TEST TARGET METRIC SECONDS OUTPUT``."""

import sys

import pandas as pd
from supervised.automl import AutoML

train_path, test_path, target, metric, seconds, output = sys.argv[1:]
train, test = pd.read_csv(train_path), pd.read_csv(test_path)
names = {"rmse": "rmse", "roc_auc": "auc", "log_loss": "logloss", "average_precision": "average_precision"}
automl = AutoML(mode="Compete", total_time_limit=int(float(seconds)), eval_metric=names[metric], n_jobs=2, results_path=output + ".models")
automl.fit(train.drop(columns=target), train[target])
if metric == "rmse":
    predicted = pd.DataFrame({"prediction": automl.predict(test)})
else:
    classes = sorted(train[target].unique(), key=str)
    predicted = pd.DataFrame(automl.predict_proba(test), columns=[str(one) for one in classes])
    predicted = predicted.iloc[:, [1]] if predicted.shape[1] == 2 else predicted
predicted.to_csv(output, index=False)
