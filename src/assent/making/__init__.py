"""From the working tree to a bundle: what a run starts from, and what it writes."""
