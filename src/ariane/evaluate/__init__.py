"""Figures: a run against its baselines on later actions, and receipts replayed."""

from ariane.evaluate.page import page
from ariane.evaluate.replay import Plan, evaluate, plan, rows
from ariane.evaluate.why import replay_feeds

__all__ = ["Plan", "evaluate", "page", "plan", "replay_feeds", "rows"]
