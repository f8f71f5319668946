"""How fast, how small and how smooth the program is, beside a bare Textual app in the same run. See README.md."""
