"""What :meth:`Sandbox.explore` takes and gives, and the rules that both clients share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import (
    Any,
    Callable,
    Dict,
    Generic,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    TypeVar,
    Union,
)

from ._error_base import SandportError
from ._wire.commands import Command
from .file_models import FileChange
from .life_models import ForkTree
from .models import ExecResult

S = TypeVar("S")

#: Most copies of one fork.
MAX_CHILDREN = 16
#: Characters of output that an outcome keeps.
TAIL_CHARS = 4096
#: Paths that an outcome names.
MAX_FILES = 200


@dataclass(frozen=True)
class Candidate(Generic[S]):
    """One thing to try: ``cmd`` or ``fn``."""

    label: str
    #: A command; it succeeds with exit code 0.
    cmd: Optional[Command] = None
    #: Does with the copy what it wants; it succeeds when it does not raise. For the asynchronous
    #: client it may be a coroutine function.
    fn: Optional[Callable[[S], Any]] = None
    #: Seconds that the command may take; 0: any time.
    timeout_s: float = 60.0
    #: Added to the environment of the command.
    env: Optional[Mapping[str, str]] = None
    #: Known before; ``score_fn`` is not asked then.
    score: Optional[float] = None


@dataclass(frozen=True)
class BranchOutcome(Generic[S]):
    """What became of a candidate."""

    label: str
    sandbox: S = field(repr=False)
    sandbox_id: str
    #: True when it succeeded.
    ok: bool = False
    score: float = 0.0
    #: None of a function, and of a command that could not run.
    exit_code: Optional[int] = None
    #: The last 4,096 characters.
    stdout_tail: str = ""
    stderr_tail: str = ""
    #: Paths that the candidate added, changed in size or deleted, up to 200.
    files_changed: List[str] = field(default_factory=list)
    duration_ms: int = 0
    #: What the function gave back.
    value: Any = None
    #: Why it could not run or be scored.
    error: Optional[str] = None
    timed_out: bool = False

    def with_result(self, result: ExecResult) -> BranchOutcome[S]:
        return replace(
            self,
            ok=result.exit_code == 0,
            exit_code=result.exit_code,
            stdout_tail=result.stdout[-TAIL_CHARS:],
            stderr_tail=result.stderr[-TAIL_CHARS:],
            timed_out=result.timed_out,
        )


@dataclass(frozen=True)
class ExploreResult(Generic[S]):
    """The best candidate, and all others."""

    winner: S
    winner_outcome: BranchOutcome[S]
    #: The best one first.
    outcomes: List[BranchOutcome[S]]
    tree_id: str
    #: Ids of copies that were deleted.
    reaped: List[str]
    #: Ids of copies that could not be deleted, and why.
    reap_failures: Dict[str, str]
    #: What went wrong beside: copies that could not be made, a promotion that failed.
    errors: List[str]


class ExploreError(SandportError):
    """No candidate can win. Its copies are deleted. Code ``explore_failed``."""

    outcomes: List[BranchOutcome[Any]]

    def __init__(self, message: str, outcomes: Sequence[BranchOutcome[Any]] = ()) -> None:
        super().__init__(message, code="explore_failed")
        self.outcomes = list(outcomes)


#: ``max``, ``min``, or a function that chooses from the outcomes that can win.
Select = Union[str, Callable[[List[BranchOutcome[S]]], Optional[BranchOutcome[S]]]]


def candidates_of(given: Sequence[Union[str, Candidate[S]]]) -> List[Candidate[S]]:
    """:raises ExploreError: for none, and for more than one fork makes copies."""
    if isinstance(given, str):
        raise TypeError("candidates must be a list, not one string")
    if not given:
        raise ExploreError("There is no candidate to explore.")
    if len(given) > MAX_CHILDREN:
        raise ExploreError(
            f"{len(given)} candidates are more than the {MAX_CHILDREN} copies that one fork makes; "
            "explore them in rounds."
        )
    return [Candidate(each, cmd=each) if isinstance(each, str) else each for each in given]


def labels_of_copies(ttl_seconds: int) -> Dict[str, str]:
    return {"explore": "1", "explore_ttl": str(ttl_seconds)}


def shorter_life(ttl_seconds: int, wanted: int) -> int:
    """Seconds that a copy lives when nobody deletes it."""
    return wanted if ttl_seconds == 0 else min(ttl_seconds, wanted)


def capture_path(capture_files: Union[bool, str]) -> Optional[str]:
    """Below which changed files are told; None: none are."""
    if isinstance(capture_files, str):
        return capture_files
    return "/" if capture_files else None


def fingerprints(changes: Iterable[FileChange]) -> Dict[str, str]:
    """What differs from the template, by path."""
    return {
        each.path: f"{each.change} {each.type} {each.size}"
        for each in changes
        if each.type != "directory"
    }


def files_changed(before: Mapping[str, str], after: Mapping[str, str]) -> List[str]:
    changed = [path for path, mark in after.items() if before.get(path) != mark]
    undone = [path for path in before if path not in after]
    return [*changed, *undone][:MAX_FILES]


def in_order(outcomes: Iterable[BranchOutcome[S]], select: Select[S]) -> List[BranchOutcome[S]]:
    """The best one first; of equal ones the faster."""
    sign = 1 if select == "min" else -1
    return sorted(outcomes, key=lambda each: (sign * each.score, each.duration_ms))


def pick(
    outcomes: List[BranchOutcome[S]], select: Select[S], require_success: bool
) -> BranchOutcome[S]:
    """:raises ExploreError: when none can win."""
    viable = [each for each in outcomes if each.ok or not require_success]
    picked: Optional[BranchOutcome[S]] = None
    if viable:
        picked = in_order(viable, select)[0] if isinstance(select, str) else select(viable)
    if picked is not None:
        return picked
    ends = "; ".join(f'"{each.label[:80]}": {_end(each)}' for each in outcomes)
    raise ExploreError(f"None of the candidates can win: {ends}.", outcomes)


def _end(outcome: BranchOutcome[Any]) -> str:
    if outcome.error is not None:
        return outcome.error
    return "ran out of time" if outcome.timed_out else f"ended with {outcome.exit_code}"


def check_select(select: Select[S]) -> None:
    """:raises ValueError: for what chooses nothing."""
    if isinstance(select, str) and select not in ("max", "min"):
        raise ValueError(f"select must be 'max', 'min' or a function, not {select!r}")


def not_made(tree: ForkTree[S], candidates: Sequence[Candidate[S]]) -> List[str]:
    """A sentence for each candidate that got no copy."""
    why = " ".join(dict.fromkeys(each.error for each in tree.errors))
    return [
        f"{each.label} was not tried: no copy could be made. {why}".rstrip()
        for each in candidates[len(tree) :]
    ]
