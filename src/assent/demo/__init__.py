"""The project that `assent demo` plays with: real data, a real model."""
