// See tests/workflows/standins/checkout_post.py.

import { run } from "../python.mjs";

run("checkout_post");
