"""Which guidelines a benchmark is built from: the shipped list, the shipped principles, or a user's own file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.cases.vocabulary_files import Pack
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.files import digest
from jmedethic_pytest.core.vocabulary import SHIPPED, Guideline, Vocabulary
from jmedethic_pytest.generation.machinery.config import Config


class Chosen(NamedTuple):
    """The guidelines to build from, and the pack they are of."""

    pack: Pack
    guidelines: dict[str, Guideline]
    """By id, in the order of the pack."""
    vocabulary: Vocabulary
    """The shipped words and those of the pack."""
    shipped: bool
    """True for ``project``: its guidelines are known to every run, no file has to lie beside the cases."""

    @property
    def digest(self) -> str:
        """sha256 over the chosen guidelines: equal digests mean equal texts."""
        return digest(list(self.guidelines.values()))


def choose(config: Config) -> Chosen:
    """Return the guidelines a configuration names.

    Raises:
        ConfigError: for a bad file, an id that is not in it, or one that means something else already.
    """
    name = config.guidelines
    path = Path(name)
    if name in vocabulary_files.SHIPPED:
        pack = vocabulary_files.shipped(name)
    elif path.suffix == ".json" or path.exists():
        pack = vocabulary_files.load(path)
    else:
        raise ConfigError(unknown("guidelines", name, vocabulary_files.SHIPPED, " Or give a JSON file of your own."))
    known = pack.known()
    missing = [key for key in config.only if key not in known]
    if missing:
        raise ConfigError([unknown("only", key, list(known)) for key in missing])
    vocabulary = SHIPPED.with_own(Vocabulary(known, pack.groups()), name)
    chosen = {key: known[key] for key in known if not config.only or key in config.only}
    return Chosen(pack, chosen, vocabulary, shipped=name == "project")
