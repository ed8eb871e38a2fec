"""Grok-2's forward pass in float64 NumPy, one token and one head at a time, for tests alone.

Written from the description of the published model, not from the PyTorch code: loops where that
has matrices, so that the two can only agree by computing the same thing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


def cap(x: Any, limit: float | None) -> Any:
    return x if limit is None else limit * np.tanh(x / limit)


def norm(x: Array, weight: Array, eps: float) -> Array:
    return x / math.sqrt(float(np.mean(x * x)) + eps) * weight


def gelu(x: Array, kind: str) -> Array:
    if kind == "gelu":
        return np.array([0.5 * v * (1.0 + math.erf(v / math.sqrt(2.0))) for v in x])
    inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1.0 + np.tanh(inner))


def softmax(x: Array) -> Array:
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def rotate(x: Array, position: float, theta: float) -> Array:
    half = len(x) // 2
    out = np.empty_like(x)
    for i in range(half):
        angle = position * float(np.float32(theta ** (-2.0 * i / len(x))))
        c, s = math.cos(angle), math.sin(angle)
        out[i] = x[i] * c - x[half + i] * s
        out[half + i] = x[half + i] * c + x[i] * s
    return out


def temperature(position: int, length: int | None) -> float:
    if length is None or position <= length:
        return 1.0
    return math.log2(position) / math.log2(length)


class Reference:
    """Weights by their names in the checkpoint, and the settings by theirs."""

    def __init__(self, weights: dict[str, Array], config: Any) -> None:
        self.w = weights
        self.c = config
        self.theta = config.rope_parameters["rope_theta"]

    def attention(
        self, name: str, xs: list[Array], positions: list[int], visible: list[bool]
    ) -> list[Array]:
        c, d = self.c, self.c.head_dim
        share = c.num_attention_heads // c.num_key_value_heads
        q = [self.w[f"{name}.q_proj.weight"] @ x for x in xs]
        k = [self.w[f"{name}.k_proj.weight"] @ x for x in xs]
        v = [self.w[f"{name}.v_proj.weight"] @ x for x in xs]
        outputs = []
        for t in range(len(xs)):
            heads = []
            seen = [s for s in range(t + 1) if visible[s]]
            for h in range(c.num_attention_heads):
                g = h // share
                query = rotate(q[t][h * d : (h + 1) * d], positions[t], self.theta)
                scores = []
                for s in seen:
                    key = rotate(k[s][g * d : (g + 1) * d], positions[s], self.theta)
                    score = cap(float(query @ key) / math.sqrt(d), c.attn_logit_softcapping)
                    scores.append(score * temperature(positions[t], c.attn_temperature_len))
                weights = softmax(np.array(scores)) if seen else np.zeros(0)
                mixed = np.zeros(d)
                for weight, s in zip(weights, seen, strict=True):
                    mixed += weight * v[s][g * d : (g + 1) * d]
                heads.append(mixed)
            outputs.append(self.w[f"{name}.o_proj.weight"] @ np.concatenate(heads))
        return outputs

    def dense(self, gate: Array, up: Array, down: Array, x: Array) -> Array:
        return down @ (gelu(gate @ x, self.c.hidden_act) * (up @ x))

    def experts(self, name: str, x: Array) -> Array:
        c = self.c
        odds = softmax(cap(self.w[f"{name}.gate.weight"] @ x, c.router_logit_softcapping))
        best = np.argsort(-odds)[: c.num_experts_per_tok]
        total = np.zeros_like(x)
        for e in best:
            both = self.w[f"{name}.experts.gate_up_proj"][e]
            half = len(both) // 2
            down = self.w[f"{name}.experts.down_proj"][e]
            total += odds[e] * self.dense(both[:half], both[half:], down, x)
        return total

    def feed_forward(self, layer: str, x: Array) -> Array:
        branches = []
        if self.c.residual_moe or not self.c.num_local_experts:
            parts = [self.w[f"{layer}.mlp.{n}_proj.weight"] for n in ("gate", "up", "down")]
            branches.append(self.dense(*parts, x))
        if self.c.num_local_experts:
            branches.append(self.experts(f"{layer}.block_sparse_moe", x))
        return branches[0] if len(branches) == 1 else (branches[0] + branches[1]) / math.sqrt(2.0)

    def hidden(
        self, embeddings: Array, positions: list[int], visible: list[bool] | None = None
    ) -> Array:
        """Embeddings (tokens, hidden) to normed hidden states (tokens, hidden)."""
        c, eps = self.c, self.c.rms_norm_eps
        visible = [True] * len(embeddings) if visible is None else visible
        xs = [row * c.embedding_multiplier_scale for row in embeddings]
        for i in range(c.num_hidden_layers):
            layer = f"layers.{i}"

            def normed(which: str, x: Array, layer: str = layer) -> Array:
                return norm(x, self.w[f"{layer}.{which}_norm.weight"], eps)

            attended = self.attention(
                f"{layer}.self_attn", [normed("pre_attn", x) for x in xs], positions, visible
            )
            xs = [x + normed("post_attn", a) for x, a in zip(xs, attended, strict=True)]
            fed = [self.feed_forward(layer, normed("pre_moe", x)) for x in xs]
            xs = [x + normed("post_moe", f) for x, f in zip(xs, fed, strict=True)]
        return np.array([norm(x, self.w["norm.weight"], eps) for x in xs])

    def logits(self, ids: list[int], head: Array, **where: Any) -> Array:
        """Token ids to logits (tokens, vocabulary)."""
        positions = where.pop("positions", list(range(len(ids))))
        hidden = self.hidden(self.w["embed_tokens.weight"][ids], positions, **where)
        scaled = hidden @ head.T * self.c.output_multiplier_scale
        return cap(scaled, self.c.final_logit_softcapping)
