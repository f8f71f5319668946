"""mimo-tui: chat and agent mode in one terminal program, on any backend."""

__version__ = "0.1.0"
