"""What is in the store → checkpoints: the ranker and the retriever."""

from ariane.train.ranker import Recipe, train_ranker
from ariane.train.retriever import train_retriever

__all__ = ["Recipe", "train_ranker", "train_retriever"]
