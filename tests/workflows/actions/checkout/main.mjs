// See tests/workflows/standins/checkout.py.

import { run } from "../python.mjs";

run("checkout");
