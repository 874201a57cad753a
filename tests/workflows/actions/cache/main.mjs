// See tests/workflows/standins/cache.py.

import { run } from "../python.mjs";

run("cache");
