"""Values and laws. Nothing here reads a clock, an environment variable, a file or a socket."""
