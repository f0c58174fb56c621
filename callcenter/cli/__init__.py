"""The `callcenter` command. Each command's work is in a file of its own, imported when the command runs."""
