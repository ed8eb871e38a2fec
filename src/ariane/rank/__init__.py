"""Candidates to Ranked: the ranker's forecast, priced by the operator's values."""
