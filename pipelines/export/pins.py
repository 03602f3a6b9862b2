"""The versions of everything that Foldwise needs, as installed here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from features.errors import InputError

_CHOICES = ("cpu", "gpu")
"""Extras of which one is installed: two builds of the same library."""


def pins(name: str = "foldwise") -> dict[str, str]:
    """Versions by distribution, of all that a distribution needs, directly or not; without itself.

    Raises
    ------
    InputError
        When it is not installed, or lacks something it needs.
    """
    from packaging.utils import canonicalize_name

    try:
        distribution(name)
    except PackageNotFoundError as error:
        raise InputError(f"{name} is not installed here, so its versions are not known. Install it: pip install -e .") from error
    found: dict[str, str] = {}
    waiting = [*_needs(name, ("",)), *(extra for extra in _needs(name, _CHOICES) if _is_installed(extra[0]))]
    seen = {(canonicalize_name(name), "")}
    while waiting:
        needed, extra = waiting.pop()
        key = (canonicalize_name(needed), extra)
        if key in seen:
            continue
        seen.add(key)
        if not _is_installed(needed):
            raise InputError(f"{needed} is needed and not installed. Install Foldwise with all it needs, then export.")
        found[str(key[0])] = distribution(needed).version
        waiting += _needs(needed, ("",))
        waiting += _needs(needed, (extra,)) if extra else []
    return dict(sorted(found.items()))


def _needs(name: str, extras: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What a distribution asks for on this machine: names, each with an extra of it, or none."""
    from packaging.requirements import Requirement

    for text in distribution(name).requires or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None:
            fits = "" in extras
        elif "" in extras:
            fits = marker.evaluate({"extra": ""})
        else:
            fits = not marker.evaluate({"extra": ""}) and any(marker.evaluate({"extra": extra}) for extra in extras)
        if fits:
            yield requirement.name, ""
            for extra in requirement.extras:
                yield requirement.name, extra


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
