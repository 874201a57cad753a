// See tests/workflows/standins/download_artifact.py.

import { run } from "../python.mjs";

run("download_artifact");
