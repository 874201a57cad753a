"""A stateful stand-in for GitLab's REST API, for the real client over real HTTP.

| file | what it is |
|---|---|
| `world` | the state, and the small API with which a test acts as people |
| `accounts`, `project`, `merge_requests`, `pipelines`, `records` | the things of the state |
| `routes/` | what each operation answers; `shapes/` how each thing is written as JSON |
| `routing` | from a request to its function; pages; what a token and a role may |
| `operations.yaml`, `things.yaml` | GitLab's API as far as it is used, written by hand |
| `contract` | makes JSON schemas of both, and judges every request and every answer |
| `graphql` | the little GraphQL that is asked, parsed and answered |
| `faults` | what goes wrong between a client and GitLab |
| `variables` | `CI_*` of a job |
| `server` | all of it over HTTP |

Git, HTTP, faults and the clock are those of `tests/standin/`.

To add an operation: a line in `operations.yaml`, what it sends in `things.yaml`, a function in
`routes/` with `@answers(id, role)`, and a test through the client.
"""
