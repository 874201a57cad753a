"""Files of the working tree, and the machine, as values of evidence."""
