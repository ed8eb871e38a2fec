"""Wishes: what viewers and operators ask more or less of, in the score as one named term."""

from ariane.steer.apply import wish_term
from ariane.steer.parse import NotUnderstoodError, parse
from ariane.targets import check_target

__all__ = ["NotUnderstoodError", "check_target", "parse", "wish_term"]
