"""What is declared: one folder a competition, none of which imports another."""
