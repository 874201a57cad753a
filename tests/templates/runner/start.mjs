// Starts gitlab-ci-local. It is one large file: what was compiled of it is kept.

import { enableCompileCache } from "node:module";

enableCompileCache(new URL("node_modules/.compiled", import.meta.url).pathname);
await import("./node_modules/gitlab-ci-local/dist/index.js");
