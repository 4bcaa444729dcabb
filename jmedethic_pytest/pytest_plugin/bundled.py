"""Where ``--pyargs jmedethic_pytest.benchmark_cases`` finds the bundled conversations."""

from __future__ import annotations

from importlib.util import find_spec

_PACKAGE = "jmedethic_pytest"
_BUNDLED = f"{_PACKAGE}.benchmark_cases"


def place(argument: str) -> str:
    """Return an argument of pytest's with a path for the bundled conversations, where they are no part of the package.

    An installation in place (``pip install -e``) has them beside it.
    """
    name, colons, test = argument.partition("::")
    package, module = name[: len(_BUNDLED)], name[len(_BUNDLED) :]
    if package != _BUNDLED or module[:1] not in ("", ".") or find_spec(_BUNDLED) is not None:
        return argument
    from jmedethic_pytest.cases.files import bundled_dir

    folder = bundled_dir()
    return f"{folder / f'{module[1:]}.py' if module else folder}{colons}{test}"
