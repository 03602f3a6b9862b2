"""What changes columns: steps on DataFrames, each saying what it learns from."""
