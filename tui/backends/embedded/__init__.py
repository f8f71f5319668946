"""The embedded model: known GGUF files, fetching them, and the child process that serves one on the loopback."""
