"""Titanic: who survived the sinking, from a passenger list."""
