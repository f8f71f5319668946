"""The trace: what the model did, step by step, how long it took and what it cost."""

from __future__ import annotations

from tui.widgets.trace.pane import TracePane

__all__ = ["TracePane"]
