"""Do something once a module of another package has been imported, without importing it now."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

Action = Callable[[], None]


class _ThenAct(Loader):
    """A module's own loader, and then an action."""

    def __init__(self, loader: Loader, action: Action) -> None:
        self.loader, self.action = loader, action

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As its own loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As its own loader does; then the action."""
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        self.action()


class _Waiting(MetaPathFinder):
    """Finds one module as the other finders do, and has an action follow its first whole import."""

    def __init__(self, name: str, action: Action) -> None:
        self.name, self.action = name, action

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The awaited module's spec, its loader wrapped; None for any other module."""
        if fullname != self.name:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _ThenAct(spec.loader, self._done)
                return spec
        return None

    def _done(self) -> None:
        """Act, and only then wait no more: an import that failed may be repaired and repeated."""
        self.action()
        if self in sys.meta_path:
            sys.meta_path.remove(self)


def after_import(name: str, action: Action) -> None:
    """Act after a module's import: at once if it has been imported, else when it is."""
    if name in sys.modules:
        action()
    else:
        sys.meta_path.insert(0, _Waiting(name, action))
