"""What the final step of a candidate is trained and judged on, split by split."""
