"""Messages to the team: their words, and their way to a command, a web address or a chat."""
