"""What is enumerated and what is searched, and why something cannot be."""
