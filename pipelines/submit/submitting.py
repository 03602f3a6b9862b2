"""``foldwise submit``: choose the file, check it, send it, log it, wait for its score."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path

from features.errors import InputError
from pipelines.competition import Competition, find_competition, find_data
from pipelines.fetch.fetching import data_of
from pipelines.fetch.kaggle import MISSING, Asked, Kaggle, has_credentials
from pipelines.fetch.source import Source, source_of
from pipelines.spec import Spec
from pipelines.store import hash_file
from pipelines.submit.checking import Verdict, check
from pipelines.submit.chosen import Chosen, choose
from pipelines.submit.expected import expected
from pipelines.submit.log import Logged, append, read_log
from pipelines.submit.scores import record, record_by_hand
from pipelines.submit.sending import Patience, by_hand, wait_for_score
from pipelines.surroundings import Surroundings


@dataclass(frozen=True)
class Wish:
    """What the command line asks for."""

    competition: str
    runs: Path = Path("runs")
    data: Path | None = None
    message: str | None = None
    file: Path | None = None
    run: str | None = None
    is_dry: bool = False
    again: bool = False
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Outcome:
    """The file, what its check found, how it is logged (None for a dry run), and what to do next."""

    chosen: Chosen
    verdict: Verdict
    logged: Logged | None = None
    next: str = ""


def submit(wish: Wish, around: Surroundings) -> Outcome:
    """Check a submission, send it where Kaggle takes it, and log it.

    Raises
    ------
    InputError
        When there is no file, its check finds problems, Kaggle refuses it, or sending was wanted and credentials are missing.
    """
    competition = find_competition(wish.competition)
    latest = wish.runs / competition.name
    chosen = choose(latest, wish.run, wish.file)
    spec = _spec(competition, chosen)
    today = competition.declaration(with_tuned=False)
    data, sample_line = find_data(competition, today, wish.data, wish.runs)
    verdict = check(chosen.path, expected(spec, data))
    problems = [*verdict.problems, *_of_other_data(chosen, spec, data)]
    for warning in verdict.warnings:
        around.console.say(f"warning: {chosen.path}: {warning}")
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise InputError(f"{chosen.path} has {len(problems)} problem(s); nothing was sent:\n{lines}")
    if wish.is_dry:
        return Outcome(chosen, verdict)
    # where to send is not what a run was made from: it may have been declared since
    declared = data_of(today).source
    source = Source() if declared is None else source_of(declared)
    return _hand_in(wish, around, chosen, verdict, source, is_sample=sample_line is not None)


def score_by_hand(wish: Wish, score: float, around: Surroundings) -> Logged:
    """Note the public score of a file that was submitted by hand."""
    latest = wish.runs / find_competition(wish.competition).name
    chosen = choose(latest, wish.run, wish.file)
    return record_by_hand(latest, read_log(latest), _entry(wish, around, chosen), score, around)


def _spec(competition: Competition, chosen: Chosen) -> Spec:
    """The declaration that the run was made from; today's for a file of nobody's."""
    from pipelines.build_spec import build_spec

    competition.load_own_steps()
    return build_spec(competition.declaration(history=chosen.entry) if chosen.entry else competition.declaration())


def _of_other_data(chosen: Chosen, spec: Spec, data: Path) -> list[str]:
    """A run of the embedded sample has the ids of the real competition: only the test file's content tells them apart."""
    hashes, test = chosen.facts.get("data", {}).get("hashes", {}), spec.data.test
    if not test or test not in hashes or not (data / test).is_file() or hashes[test] == hash_file(data / test):
        return []
    return [f"run {chosen.run_id} predicted another {test} than the one in {data}. Run again on these files, or name its own with --data."]


def _entry(wish: Wish, around: Surroundings, chosen: Chosen) -> Logged:
    moment = around.now.astimezone(UTC).isoformat(timespec="seconds")
    return Logged(chosen.run_id, moment, chosen.sha256(), wish.message or chosen.default_message(), sent=False)


def _hand_in(wish: Wish, around: Surroundings, chosen: Chosen, verdict: Verdict, source: Source, *, is_sample: bool) -> Outcome:
    latest = wish.runs / find_competition(wish.competition).name
    latest.mkdir(parents=True, exist_ok=True)
    entry, log = _entry(wish, around, chosen), read_log(latest)
    before = next((old for old in reversed(log) if old.file_sha256 == entry.file_sha256 and old.sent), None)
    if before is not None and not wish.again:
        return _sent_before(wish, around, Outcome(chosen, verdict, before), source)
    refusal = _refusal(source, chosen.path, is_sample=is_sample)
    if refusal is not None:
        _log_unsent(latest, log, entry)
        if source.competition is None:
            return Outcome(chosen, verdict, entry, refusal)
        raise InputError(refusal)
    asked = Asked(source.competition or "", source.page)
    try:
        kaggle = Kaggle.sign_in()
        number = kaggle.submit(asked, chosen.path, entry.message)
    except InputError:
        _log_unsent(latest, log, entry)
        raise
    entry = replace(entry, sent=True, ref=number)
    append(latest, entry)
    around.console.say(f"sent to {source.page} (submission {number}); waiting for the public score")
    return _scored(wish, around, Outcome(chosen, verdict, entry), asked, kaggle)


def _log_unsent(latest: Path, log: list[Logged], entry: Logged) -> None:
    """Log a file that was not sent, once for each message."""
    same = {(old.file_sha256, old.message) for old in log if not old.sent}
    if (entry.file_sha256, entry.message) not in same:
        append(latest, entry)


def _refusal(source: Source, path: Path, *, is_sample: bool) -> str | None:
    """Why a checked file is not sent, and what to do; None when it can be."""
    if source.competition is None:
        where = "names a data set" if source.kaggle else "names no Kaggle competition"
        return f"Nothing was sent: data.source {where}, so there is nowhere to send it. Note a score with --score when you have one."
    if is_sample:
        sending = "" if has_credentials() else f" Sending needs credentials too: {MISSING}."
        return (
            "Nothing was sent: these predictions are of the sample that comes with the competition, not of Kaggle's test file. "
            f"Get the files with foldwise fetch, and run again. The check found no problem in {path}; it is logged as not sent.{sending}"
        )
    if not has_credentials():
        return f"Nothing was sent: {MISSING}; or: {by_hand(path, source.page)} The check found no problem; it is logged as not sent."
    return None


def _sent_before(wish: Wish, around: Surroundings, outcome: Outcome, source: Source) -> Outcome:
    """The same bytes were sent already: ask for the score that is still missing, and send nothing."""
    before = outcome.logged
    assert before is not None
    around.console.say(f"this file was sent already at {before.time}; it is not sent again (--again sends it)")
    if before.public_score is not None or before.ref is None or source.competition is None:
        return outcome
    return _scored(wish, around, outcome, Asked(source.competition, source.page), Kaggle.sign_in())


def _scored(wish: Wish, around: Surroundings, outcome: Outcome, asked: Asked, kaggle: Kaggle) -> Outcome:
    entry = outcome.logged
    assert entry is not None and entry.ref is not None
    score = wait_for_score(kaggle, asked, entry.ref, wish.patience)
    if score is None:
        return Outcome(
            outcome.chosen, outcome.verdict, entry, f"No public score yet. The same command asks again; see {asked.page}/submissions"
        )
    latest = wish.runs / find_competition(wish.competition).name
    return Outcome(outcome.chosen, outcome.verdict, record(latest, entry, score, around))
