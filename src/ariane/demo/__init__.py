"""The first run: from nothing to a feed, with each step and its time."""
