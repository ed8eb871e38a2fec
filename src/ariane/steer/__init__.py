"""Wishes: what viewers and operators ask more or less of, in the score as one named term."""

from ariane.steer.apply import check_target, wish_term

__all__ = ["check_target", "wish_term"]
