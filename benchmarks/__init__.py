"""What Assent costs, measured on whole processes against a floor. See docs/benchmarks.md."""
