"""What a picker shows."""

from __future__ import annotations

from typing import NamedTuple


class Choice(NamedTuple):
    """Something to choose: `id` is the answer, `label` and `note` are shown."""

    id: str
    label: str
    note: str = ""
