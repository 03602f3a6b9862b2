"""The YAML writer: what it writes is read back as it was."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipelines.draft.steps import Choice
from pipelines.draft.writing import comment, entry, flow, item

SCALARS = st.one_of(st.text(), st.booleans(), st.none(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12)


@given(VALUES)
def test_flow_is_read_back(value: Any) -> None:
    assert YAML(typ="safe").load(flow(value)) == value


@given(st.lists(st.text(max_size=30), min_size=1, max_size=40), st.text())
def test_a_step_with_a_reason_is_read_back(columns: list[str], why: str) -> None:
    lines = [*comment(why), "clean:", *item(Choice({"drop": {"columns": columns, "value": "a # b: c"}}, why)), *entry("k", columns, why)]
    assert YAML(typ="safe").load("\n".join(lines)) == {"clean": [{"drop": {"columns": columns, "value": "a # b: c"}}], "k": columns}
    assert all("\n" not in line for line in lines)
