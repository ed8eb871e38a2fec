"""What is in the store → checkpoints: the ranker, the retriever, and the reader's student."""

from ariane.train.ranker import Recipe, train_ranker
from ariane.train.retriever import train_retriever
from ariane.train.student import train_student

__all__ = ["Recipe", "train_ranker", "train_retriever", "train_student"]
