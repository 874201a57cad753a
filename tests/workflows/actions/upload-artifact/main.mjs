// See tests/workflows/standins/upload_artifact.py.

import { run } from "../python.mjs";

run("upload_artifact");
