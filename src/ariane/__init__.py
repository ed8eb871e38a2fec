"""Ariane: a self-hosted, open For You feed."""
