"""What people and machines read of a review: Markdown, HTML, JSON and JUnit, from one value."""
