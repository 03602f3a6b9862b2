"""Submissions: checked before they are sent, logged, scored by Kaggle, set beside the out-of-fold score."""
