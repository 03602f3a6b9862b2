"""The board: one page of everything that is recorded below a runs folder, and the page of two runs side by side."""
