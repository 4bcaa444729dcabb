"""The stages in their order, and how one of them, or all, are run."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jmedethic_pytest.core.errors import ConfigError, JmedError
from jmedethic_pytest.generation.discovery import discovery, grouping
from jmedethic_pytest.generation.machinery import files, guidelines, models
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Summary
from jmedethic_pytest.generation.machinery.ledger import Progress
from jmedethic_pytest.generation.machinery.stages import Stage
from jmedethic_pytest.generation.stages import conversations, questions, split, translate, validate
from jmedethic_pytest.models.budget import Budget

STAGES: tuple[Stage, ...] = (
    questions.STAGE,
    validate.STAGE,
    discovery.STAGE,
    grouping.STAGE,
    conversations.STAGE,
    split.STAGE,
    translate.STAGE,
)


class Options(NamedTuple):
    """How a command runs its stages."""

    force: bool = False
    """Accept a model that is generator and validator."""
    restart: bool = False
    """Begin anew: what is there is moved aside."""


_DEFAULT = Options()


def stage(name: str) -> Stage:
    """Return a stage by its name."""
    return next(item for item in STAGES if item.name == name)


def wanted(config: Config) -> tuple[Stage, ...]:
    """Return the stages that ``generate all`` runs under these settings."""
    off = {
        "translate": not config.translate.enabled,
        "discover": not config.discover.enabled,
        "cluster": not config.discover.enabled,
    }
    return tuple(item for item in STAGES if not off.get(item.name, False))


def check(config: Config, stages: tuple[Stage, ...], options: Options) -> None:
    """Find everything that is wrong before anything is asked.

    Raises:
        ConfigError: with all problems of guidelines, roles, models, keys and prices.
    """
    problems: list[str] = []

    def attempt(step: Callable[[], object]) -> None:
        try:
            step()
        except ConfigError as error:
            problems.extend(error.problems)

    attempt(lambda: guidelines.choose(config))
    roles = tuple(dict.fromkeys(role for item in stages for role in item.roles(config)))
    attempt(lambda: models.needed(config, roles))
    if not problems and not options.force and any(item.name == validate.NAME for item in stages):
        attempt(lambda: validate.check_sides(config))
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))


async def run(
    config: Config, item: Stage, progress: Progress, *, options: Options = _DEFAULT, budget: Budget | None = None
) -> tuple[Summary, ...]:
    """Run one stage, or what is left of it.

    Raises:
        ConfigError: if an earlier stage is not finished, or the stage was begun with other settings.
        RunAborted: if it cannot go on; what is finished is stored.
    """
    if options.restart:
        for name in item.outputs:
            files.begin_anew(config.folder, name)
    secrets = models.secrets_of(config, models.needed(config, item.roles(config)))
    try:
        async with models.open_team(config, item.roles(config), stage=item.name, budget=budget) as team:
            summaries = await item.run(config, team, progress)
    except JmedError as error:
        error.args = tuple(secrets.hide(str(part)) for part in error.args)
        raise
    models.forget_answers(config, item.name)
    return summaries
