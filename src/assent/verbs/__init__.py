"""One verb per file: plain functions on ports and values. They return what happened as a value."""
