"""A Jupyter notebook as text: its cells with what they put out, instead of JSON full of pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_OUTPUT_CHARACTERS = 2000


def notebook_text(text: str) -> str | None:
    """The cells of a notebook (nbformat 4), each under a line that names it; None for what is no notebook."""
    try:
        cells = json.loads(text)["cells"]
        return "\n".join(line for number, cell in enumerate(cells, 1) for line in _lines(number, cell))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _lines(number: int, cell: Any) -> Iterator[str]:
    yield f"[cell {number}: {cell['cell_type']}]"
    yield from _joined(cell.get("source", "")).split("\n")
    for output in cell.get("outputs", ()):
        shown = _output(output).strip("\n")
        if shown:
            cut = shown if len(shown) <= _OUTPUT_CHARACTERS else f"{shown[:_OUTPUT_CHARACTERS]} …"
            yield "[output]"
            yield from cut.split("\n")
    yield ""


def _output(output: Any) -> str:
    if output.get("output_type") == "error":
        return f"{output.get('ename')}: {output.get('evalue')}"
    data = output.get("data", {})
    if "text" in output or "text/plain" in data:
        others = [kind for kind in data if kind.startswith("image/")]
        return "\n".join([_joined(output.get("text", data.get("text/plain", ""))), *(f"({kind})" for kind in others)])
    return ", ".join(f"({kind})" for kind in data)


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)
