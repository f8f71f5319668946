"""Checkpoints: how files of a project were before a turn changed them, so that it can be taken back."""
