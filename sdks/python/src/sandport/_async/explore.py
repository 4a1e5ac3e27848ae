"""Tries candidates in copies of a sandbox."""

from __future__ import annotations

import asyncio
import inspect
import time
from dataclasses import dataclass, replace
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Coroutine,
    Dict,
    Generic,
    List,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

from .. import explore_models as rules
from ..errors import SandportError
from ..explore_models import BranchOutcome, Candidate, ExploreResult, Select
from ..life_models import ForkTree

if TYPE_CHECKING:
    from .sandbox import AsyncSandbox

S = TypeVar("S", bound="AsyncSandbox")


@dataclass(frozen=True)
class ExploreOptions(Generic[S]):
    """As the arguments of :meth:`AsyncSandbox.explore`."""

    score_fn: Optional[Callable[[S, BranchOutcome[S]], Any]]
    select: Select[S]
    require_success: bool
    max_concurrency: int
    cleanup_losers: bool
    promote_winner: bool
    capture_files: Union[bool, str]
    ttl_seconds: int
    memory: Optional[bool]
    on_outcome: Optional[Callable[[BranchOutcome[S]], None]]


async def explore(
    parent: S, given: Sequence[Union[str, Candidate[S]]], options: ExploreOptions[S]
) -> ExploreResult[S]:
    rules.check_select(options.select)
    candidates = rules.candidates_of(given)
    labels = rules.labels_of_copies(options.ttl_seconds)
    tree = await _forked(parent.fork_tree(len(candidates), labels, memory=options.memory))
    try:
        ttl = await _limit_lives(tree, options.ttl_seconds)
        outcomes = await _run_all(tree, candidates, options)
        picked = rules.pick(outcomes, options.select, options.require_success)
        winner = picked.sandbox
        if ttl is not None:
            await winner.set_ttl(ttl)
        errors = rules.not_made(tree, candidates)
        if options.promote_winner:
            errors += await _promote(winner, tree.tree_id)
    except BaseException:  # No copy outlives a failure, nor an interruption.
        await _kill_all(tree.children)
        raise
    losers = [child for child in tree if child.id != winner.id]
    reaped, failures = await _kill_all(losers) if options.cleanup_losers else ([], {})
    ordered = rules.in_order(outcomes, options.select)
    return ExploreResult(winner, picked, ordered, tree.tree_id, reaped, failures, errors)


async def _forked(making: Coroutine[Any, Any, ForkTree[S]]) -> ForkTree[S]:
    """When cancelled it waits for the copies, so that they can be deleted."""
    task = asyncio.ensure_future(making)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            await _kill_all(task.result().children)
        raise


async def _limit_lives(tree: ForkTree[S], ttl_seconds: int) -> Optional[int]:
    """Sees to it that copies go away even when this program ends in the middle.

    Gives the time to live that a winner gets back; None when nothing was changed.
    """
    if ttl_seconds == 0 or not tree:
        return None
    before = tree[0].info.ttl_seconds
    for child in tree:
        await child.set_ttl(rules.shorter_life(before, ttl_seconds))
    return before


async def _run_all(
    tree: ForkTree[S], candidates: Sequence[Candidate[S]], options: ExploreOptions[S]
) -> List[BranchOutcome[S]]:
    """Outcomes in the order of the candidates."""
    room = asyncio.Semaphore(max(1, options.max_concurrency))

    async def run(child: S, candidate: Candidate[S]) -> BranchOutcome[S]:
        async with room:
            outcome = await _branch(child, candidate, options)
        if options.on_outcome is not None:
            options.on_outcome(outcome)
        return outcome

    tasks = [asyncio.ensure_future(run(*pair)) for pair in zip(tree, candidates)]
    try:
        return list(await asyncio.gather(*tasks))
    finally:  # All are at rest before copies are deleted.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _branch(
    child: S, candidate: Candidate[S], options: ExploreOptions[S]
) -> BranchOutcome[S]:
    """What fails is part of the outcome."""
    path = rules.capture_path(options.capture_files)
    before = await _changes(child, path)
    begun = time.monotonic()
    outcome = await _run(child, candidate)
    outcome = replace(outcome, duration_ms=round((time.monotonic() - begun) * 1000))
    after = await _changes(child, path)
    if before is not None and after is not None:
        outcome = replace(outcome, files_changed=rules.files_changed(before, after))
    return await _scored(child, candidate, outcome, options)


async def _run(child: S, candidate: Candidate[S]) -> BranchOutcome[S]:
    outcome: BranchOutcome[S] = BranchOutcome(candidate.label, child, child.id)
    try:
        if candidate.fn is not None:
            value = candidate.fn(child)
            value = await value if inspect.isawaitable(value) else value
            return replace(outcome, ok=True, value=value)
        if candidate.cmd is None:
            return replace(outcome, error="The candidate has neither cmd nor fn.")
        result = await child.commands.run(candidate.cmd, candidate.timeout_s, env=candidate.env)
    except Exception as error:
        return replace(outcome, error=str(error) or type(error).__name__)
    return outcome.with_result(result)


async def _scored(
    child: S, candidate: Candidate[S], outcome: BranchOutcome[S], options: ExploreOptions[S]
) -> BranchOutcome[S]:
    if candidate.score is not None:
        return replace(outcome, score=candidate.score)
    if options.score_fn is None:
        return replace(outcome, score=1.0 if outcome.ok else 0.0)
    try:
        score = options.score_fn(child, outcome)
        score = await score if inspect.isawaitable(score) else score
        return replace(outcome, score=float(score))
    except Exception as error:
        reason = f"It could not be scored: {error or type(error).__name__}"
        return replace(outcome, error=outcome.error or reason)


async def _changes(child: S, path: Optional[str]) -> Optional[Dict[str, str]]:
    """None when they cannot be told; the outcome stands without them."""
    if path is None:
        return None
    try:
        return rules.fingerprints(await child.files.changes(path))
    except SandportError:
        return None


async def _promote(winner: S, tree_id: str) -> List[str]:
    try:
        await winner.promote(tree_id=tree_id)
    except SandportError as error:
        return [f"The winner could not be promoted: {error}"]
    return []


async def _kill_all(children: Sequence[S]) -> Tuple[List[str], Dict[str, str]]:
    """Deletes copies, whatever becomes of each."""
    reaped: List[str] = []
    failures: Dict[str, str] = {}
    for child in children:
        try:
            await child.kill()
            reaped.append(child.id)
        except SandportError as error:
            failures[child.id] = str(error)
    return reaped, failures
