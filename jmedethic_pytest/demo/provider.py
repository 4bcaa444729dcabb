"""The provider ``demo``: one of the simulations answers, by the name of the model and by what it is asked for."""

from __future__ import annotations

from jmedethic_pytest.core.records import Reply, Usage
from jmedethic_pytest.demo import ATTACKERS, JUDGES, TARGETS, VERSION, attackers, examinee, judges, targets
from jmedethic_pytest.models.base import ChatRequest, ModelRef, Observer, Role


class DemoProvider:
    """Answers as a simulated target, judge, examinee or attacker."""

    base_url = f"simulation:{VERSION}"

    def __init__(self, ref: ModelRef, observe: Observer | None = None) -> None:  # noqa: ARG002 - has no server
        self._ref = ref

    @staticmethod
    def names(role: Role) -> tuple[str, ...]:
        """Return the names behind ``demo:`` in a role."""
        return {"judge": JUDGES, "attacker": ATTACKERS}.get(role, TARGETS)

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:  # noqa: ARG002 - nothing to wait for
        """Answer at once (see :class:`jmedethic_pytest.models.base.Provider`)."""
        if self._ref.name in JUDGES:
            text = judges.answer(self._ref.name, request)
        elif self._ref.name in ATTACKERS:
            text = attackers.answer(request)
        elif "answers" in request.context:
            text = examinee.answer(self._ref.name, request)
        else:
            text = targets.answer(self._ref.name, request)
        usage = Usage(input=sum(len(message.content) for message in request.messages), output=len(text))
        return Reply(text=text, finish="stop", model=f"{self._ref.label} (simulation)", usage=usage)

    async def models(self) -> dict[str, str | None]:
        """Return the simulation itself; it never ends."""
        return {self._ref.name: None}

    async def aclose(self) -> None:
        """Nothing is open."""
