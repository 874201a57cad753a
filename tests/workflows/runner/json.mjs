// GitHub's parser imports its schemas as bundlers understand it. Node wants to be told that they
// are JSON, so this goes before it: `node --import ./json.mjs run.mjs`.

import { enableCompileCache, registerHooks } from "node:module";

// A third of a start is compiling; what was compiled is kept.
enableCompileCache(new URL("node_modules/.compiled", import.meta.url).pathname);

registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.endsWith(".json")) return next(specifier, context);
    return { ...next(specifier, context), importAttributes: { type: "json" } };
  },
});
