"""What a store keeps and for whom: seen, copied to another store, and taken away."""
