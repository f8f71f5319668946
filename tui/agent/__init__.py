"""The agent: the loop and the pieces it calls. It knows no screen and no wire."""
