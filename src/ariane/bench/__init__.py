"""Benchmarks: one file each, beside a peer in the same run, ratios rather than bare times."""
