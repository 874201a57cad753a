"""`reply`: answer the slash commands of a new comment. It tells; it records nothing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.core.approval import Approvals
from assent.core.change import Change
from assent.core.digest import Digest
from assent.errors import PolicyError, UsageError
from assent.judging.candidate import judge, provenance
from assent.judging.inherited import inherited
from assent.judging.opinions import all_reviews, count_everywhere, makers_without_account
from assent.making.bundle_lookup import find
from assent.ports import Asked, Command, CommandName
from assent.recording.reading import read_ledger
from assent.report.parts import Section, Words, cell
from assent.report.reply import (
    Place,
    approval_section,
    explanation_sections,
    help_section,
    problem_section,
    reply_to_markdown,
)
from assent.workspace import Workspace

MOST = 10
"""How many commands of one comment are answered."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one command. `bundle` and `head` are what it is about; `counts` is whether an
    approval does, for anything, and `why` says why, or why nothing could be judged.
    """

    word: CommandName
    model: str | None = None
    bundle: Digest | None = None
    head: str | None = None
    counts: bool | None = None
    why: tuple[str, ...] = ()


class ReplyResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answers to a comment, the text that they became, and where it stands. All of it is
    empty if nothing was asked.
    """

    asked: Asked | None = None
    answers: tuple[Answer, ...] = ()
    text: str = ""
    address: str | None = None


Told = tuple[Answer, Sequence[Section]]
"""An answer, and how it is shown."""


def reply(workspace: Workspace) -> ReplyResult:
    """Answer the comment that woke this run up, once however often it is run.

    Nothing is written to the ledger: a run of a comment is no place for that. Approvals that
    count are read from the forge again, and recorded, by `approve` and `register`.
    """
    asked = workspace.forge.asked()
    if asked is None:
        return ReplyResult()
    wanted = _wanted(workspace, asked)
    told = [_told(workspace, asked, command) for command in wanted[:MOST]]
    sections = [section for _, shown in told for section in shown]
    if len(wanted) > MOST:
        left = f"only the first {MOST} commands of a comment are answered."
        sections.append(Section(title="More", summary=cell(Words(left))))
    text = reply_to_markdown(
        asked.by.login,
        asked.at,
        sections,
        has_approvals=any(command.word is CommandName.APPROVE for command in wanted),
    )
    return ReplyResult(
        asked=asked,
        answers=tuple(answer for answer, _ in told),
        text=text,
        address=workspace.forge.answer(asked, text),
    )


def _wanted(workspace: Workspace, asked: Asked) -> list[Command]:
    """Every command once. Of several approvals of one model the last is heard, as it is when they
    are recorded; to explain without a model is to explain all that were shown.
    """
    wanted: dict[Command, None] = {}
    last = {
        command.model: command for command in asked.commands if command.word is CommandName.APPROVE
    }
    for command in asked.commands:
        if command.word is CommandName.APPROVE:
            wanted[last[command.model]] = None
        elif command.word is CommandName.EXPLAIN and command.model is None:
            models = sorted(workspace.config.models)
            shown = [model for model in models if workspace.forge.shown(model) is not None]
            for model in shown or models:
                wanted[Command(word=CommandName.EXPLAIN, model=model)] = None
        else:
            wanted[command] = None
    return list(wanted)


def _told(workspace: Workspace, asked: Asked, command: Command) -> Told:
    """The answer to one command. What the policy or the configuration refuses is an answer, too;
    what the world did not do is an error, because another attempt may well do it.
    """
    model = command.model
    if command.word is CommandName.HELP or model is None:
        return Answer(word=CommandName.HELP), [help_section(sorted(workspace.config.models))]
    try:
        workspace.model(model)
        if command.word is CommandName.APPROVE:
            return _approval(workspace, asked, command, model)
        return _explanation(workspace, model)
    except (PolicyError, UsageError) as error:
        counts = False if command.word is CommandName.APPROVE else None
        answer = Answer(word=command.word, model=model, counts=counts, why=(str(error),))
        return answer, [problem_section(f"{command.word} {model}", str(error), error.hint)]


def _approval(workspace: Workspace, asked: Asked, command: Command, model: str) -> Told:
    change = workspace.change()
    places: list[Place] = []
    against: list[str] = []
    approvals = None
    shown = workspace.forge.shown(model)
    if command.bundle is None:
        against.append(f"no such bundle of {model} had been shown when the comment was written")
    elif command.head != change.head or shown is None:
        new = "" if shown is not None else f", where no bundle of {model} is shown yet"
        against.append(f"{change.id} is at {change.head[:12]} now{new}")
    else:
        against, heard = _judged(workspace, model, shown, change)
        approvals = heard[None]
        places = [_place(stage, approvals, asked) for stage, approvals in heard.items()]
    counts = not against and any(place.counts for place in places)
    answer = Answer(
        word=CommandName.APPROVE,
        model=model,
        bundle=command.bundle,
        head=command.head,
        counts=counts,
        why=tuple(against or {place.why: None for place in places if place.counts is counts}),
    )
    section = approval_section(
        model,
        command.typed or "",
        bundle=command.bundle,
        head=command.head,
        places=places,
        against=against,
        approvals=approvals,
    )
    return answer, [section]


def _judged(
    workspace: Workspace, model: str, shown: Digest, change: Change
) -> tuple[list[str], dict[str | None, Approvals]]:
    """Why no approval of this change is recorded at all, and who counts for what."""
    policy = workspace.binding_policy(model)
    view = read_ledger(workspace, model)
    candidate = find(workspace, view, model, shown)
    against = [
        f"the bundle is {finding.reason}, and {finding.evidence}"
        for finding in provenance(workspace, view, candidate, change)
        if finding.outcome.blocks
    ]
    beside = inherited(workspace, view, candidate, change)
    names = makers_without_account(policy, change, beside)
    if names:
        named = ", ".join(f"`{name}`" for name in names)
        against.append(f"a commit's author has no account: {named}")
    reviews = all_reviews(workspace, view, model, shown)
    return against, count_everywhere(workspace, view, policy, candidate, change, beside, reviews)


def _place(stage: str | None, approvals: Approvals, asked: Asked) -> Place:
    """Whether the comment's approval is the opinion that is heard, and whether it counts."""
    heard = next((review for review in approvals.heard if review.person.key == asked.by.key), None)
    if heard is None or heard.at < asked.at:
        return Place(stage=stage, counts=False, why="the forge does not list the comment yet")
    if heard.at > asked.at:
        why = f"there is a later opinion of the same person: {heard.state}"
        return Place(stage=stage, counts=False, why=why)
    return Place(stage=stage, counts=heard.counts, why=heard.why)


def _explanation(workspace: Workspace, model: str) -> Told:
    change = workspace.change()
    shown = workspace.forge.shown(model)
    if shown is None:
        raise UsageError(
            f"explaining {model}",
            f"no bundle of it is shown at {change.head[:12]} yet",
            hint="the review shows one as soon as the change is trained and evaluated",
        )
    view = read_ledger(workspace, model)
    judged = judge(
        workspace,
        view,
        workspace.binding_policy(model),
        find(workspace, view, model, shown),
        reviews=all_reviews(workspace, view, model, shown),
        change=change,
    )
    answer = Answer(
        word=CommandName.EXPLAIN,
        model=model,
        bundle=shown,
        head=change.head,
        why=(judged.verdict.decision.value,),
    )
    return answer, explanation_sections(model, shown, change.head, judged.verdict, judged.approvals)
