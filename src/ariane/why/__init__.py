"""Page → reasons: why each post stands where it does, exactly, and so that anyone can check."""

from ariane.why.closely import why_post
from ariane.why.receipts import Replay, WhySettings, replay_claims, why

__all__ = ["Replay", "WhySettings", "replay_claims", "why", "why_post"]
