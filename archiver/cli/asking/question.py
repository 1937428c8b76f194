"""Makes a command of the body of a question: with the options all questions share, the archive, and how to answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from archiver.cli.asking.answering import Question as Question  # what such a body is given
from archiver.cli.pager import paging

_RANGE = ("since", "until", "fail_if_empty")


def question(
    body: Callable[..., None], *, ranged: bool = True, strict: bool = True, turned: bool = False, told: bool = False
) -> Callable[..., None]:
    """The command made of `body(asked: Question, ...)`: in its help the body's own parameters come before the shared.

    `ranged` False: it has neither `--since` nor `--until`, and its answer is never empty; `strict` False: it says
    itself how well it was watched; `turned`: it lists what has an order in time, which may be turned round; `told`: of
    what streams told it can say what one did.
    """
    own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
    shared = inspect.signature(Question, eval_str=True).parameters
    left_out = {*(() if ranged else _RANGE), *(() if strict else ("strict",)), *(() if turned else ("reverse",))}
    left_out |= set() if told else {"stream"}
    left_out |= {each.name for each in own}  # a body that has one of these itself
    if {each.name for each in own}.isdisjoint(("refs", "ref", "under")):
        left_out.add("platform")
    kept = [parameter for name, parameter in shared.items() if name not in left_out]

    @wraps(body)
    def command(**given: Any) -> None:
        asked = Question(**{each.name: given.pop(each.name) for each in kept if each.name in given})
        try:
            if not any(given.get(name) for name in ("refs", "ref", "under")):
                asked.refuse_platform()
            with paging(asked.pages and not given.get("follow")):
                body(asked, **given)
            asked.end()
        finally:
            asked.close()

    parameters = [kept[0], *own, *kept[1:]]
    signature = inspect.Signature([each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters])
    command.__signature__ = signature  # type: ignore[attr-defined]
    return command
