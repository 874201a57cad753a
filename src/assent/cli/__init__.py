"""The command line: one file per verb, which only maps options to the call."""
