"""How the API writes each thing as JSON."""
