// GitHub's parser imports its schemas as bundlers understand it. Node wants to be told that they
// are JSON, so this goes before it: `node --import ./json.mjs run.mjs`.

import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.endsWith(".json")) return next(specifier, context);
    return { ...next(specifier, context), importAttributes: { type: "json" } };
  },
});
