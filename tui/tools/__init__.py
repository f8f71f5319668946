"""What the model may do: one file a tool, the registry, and the sandbox that commands run in."""
