// See tests/workflows/standins/cache_post.py.

import { run } from "../python.mjs";

run("cache_post");
