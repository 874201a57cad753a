"""The files that are the model, and what they say when they are read without being run."""
