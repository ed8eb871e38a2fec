"""Memory: the stores that satisfy `ariane.types.Store`; `sqlite.py` is the default one."""
