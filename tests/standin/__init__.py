"""What the stand-ins for forges share: nothing here knows which forge it is part of.

| file | what it is |
|---|---|
| `objects` | a bare Git repository: commits, contents and merges are Git's own |
| `branches` | the branches and commits of one repository, forks included |
| `clock` | time that stands still until a test moves it, and numbers that are never given twice |
| `faults` | what goes wrong between a client and a server |
| `judging` | values against JSON schemas, in which an unknown key is an error |
| `listening` | HTTP |
| `server` | a running stand-in: its requests, its mismatches, its other host |
"""
