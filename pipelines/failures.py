"""What can go wrong that is neither the user's input nor a defect of ours."""


class ModelFailedError(Exception):
    """A declared model could not be fitted; the others were, and are kept."""
