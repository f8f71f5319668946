"""The vocabulary: messages, events, usage, errors and text. Standard library only; it imports nothing above it."""
