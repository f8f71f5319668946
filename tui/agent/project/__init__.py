"""What is known of the project that a session works in: its notes, skills, commands and memory."""
