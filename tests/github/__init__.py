"""A stateful stand-in for GitHub's REST API, for the real client over real HTTP.

| file | what it is |
|---|---|
| `world` | the state, and the small API with which a test acts as people |
| `accounts`, `repository`, `pulls`, `runs`, `records` | the things of the state |
| `routes/` | what each operation answers; `shapes/` how each thing is written as JSON |
| `routing` | from a request to its function; pages; what a token may |
| `contract` | every request and every answer against GitHub's description (`openapi.json`) |
| `faults` | what goes wrong between a client and GitHub |
| `events`, `variables`, `payloads` | what a workflow's job is told, and the judge of it |
| `server` | all of it over HTTP |

Git, HTTP, faults and the clock are those of `tests/standin/`.

To add an operation: its id in `extract.OPERATIONS`, run the extract again, a function in `routes/`
with `@answers(id, permission)`, and a test through the client. One that is not described, or a key
that GitHub does not send, fails the test that met it.
"""
