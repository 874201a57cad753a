"""How values lie in the bytes of a file: readers that many formats share."""
