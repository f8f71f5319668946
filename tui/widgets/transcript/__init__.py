"""The transcript: everything that was said and done, as lines of which only those that are seen are drawn."""

from tui.widgets.transcript.transcript import Transcript

__all__ = ["Transcript"]
