"""The command line: one module a command, one object that speaks (`Output`), one table of exit codes."""
