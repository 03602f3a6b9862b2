"""Packing a competition for a machine without a network: declaration, own steps, pinned versions and wheels."""
