"""Tuning: searching a model's parameters on folds of their own, in Optuna studies that several processes share.

``space`` and ``defaults`` say what is searched, ``changes`` what a trial changes in the declaration, ``split`` on which folds;
``folds`` and the trainers score one configuration, ``study`` and ``pruning`` are Optuna's side, ``worker`` brings both together,
``whole`` is what ``foldwise tune`` calls, and ``tuned`` the file that ``foldwise run`` reads afterwards.
"""
