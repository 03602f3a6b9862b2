"""What the tracker is told: a recorded run or tuning as a tree of values, and the calls that send such a tree."""
