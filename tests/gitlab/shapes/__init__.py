"""How each thing is written as JSON."""
