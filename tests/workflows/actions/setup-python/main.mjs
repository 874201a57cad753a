// See tests/workflows/standins/setup_python.py.

import { run } from "../python.mjs";

run("setup_python");
