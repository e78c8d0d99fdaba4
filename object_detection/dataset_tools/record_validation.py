"""The program behind `scripts/validate_tfrecord.py`: what is wrong with records, before training.

Training looks at the same things by the same rules when it starts. TensorFlow is not needed.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

import tqdm

from object_detection.errors import ConfigError
from object_detection.utils import config_util, files, flag_checks, startup
from object_detection.utils.records import findings, reader_rules, scan
from object_detection.utils.records.findings import FileScan, Finding
from object_detection.utils.records.rules import Rules

NAME = "validate_tfrecord"

_MOST_WORKERS = 256
_MOST_EXAMPLES = 3  # of each reason, on the console
_WIDTH = 28  # of a count and a reason


class Source(NamedTuple):
    """Files, and the rules by which they are judged."""

    name: str
    paths: tuple[str, ...]
    rules: Rules


class Outcome(NamedTuple):
    """What was found in the files of a source."""

    source: Source
    scans: list[FileScan]


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line of `scripts/validate_tfrecord.py`."""
    parser = flag_checks.Parser(
        prog=f"{NAME}.py",
        description=(
            "Finds what is wrong with TFRecord files: damaged records, pictures that do not decode, "
            "lists that contradict each other, boxes out of the picture."
        ),
        epilog=(
            "Exit status: 0 if every record is used as it is, 1 if some are left out or mended (or "
            "the program could not do its work, which a message on standard error tells), 2 for "
            "wrong flags."
        ),
    )
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--pipeline_config_path", help="config whose readers' records to look at")
    given.add_argument("--records", nargs="+", help="files, or patterns such as 'train.record*'")
    parser.add_argument("--label_map", default="", help="with --records: label map of the classes")
    parser.add_argument("--num_classes", type=int, help="with --records: classes of the model")
    parser.add_argument("--num_keypoints", type=int, help="with --records: keypoints of a box")
    parser.add_argument(
        "--max_megapixels",
        type=float,
        help=f"with --records: pixels a picture may have ({Rules.max_megapixels:g} by default)",
    )
    parser.add_argument("--report", default="", help="JSON file to write with every finding")
    parser.add_argument(
        "--num_workers", type=int, default=0, help="processes; 0: as many as are worth it"
    )
    return parser.parse_args(arguments)


def _check_flags(options: argparse.Namespace) -> None:
    flag_checks.number("num_workers", options.num_workers, 0, _MOST_WORKERS)
    for name, least in (("num_classes", 1), ("num_keypoints", 0), ("max_megapixels", 1e-6)):
        value = getattr(options, name)
        if value is not None:
            flag_checks.number(name, value, least)
            if options.pipeline_config_path:
                raise ConfigError(f"--{name} goes with --records; here the config says it.")
    if options.label_map:
        if options.pipeline_config_path:
            raise ConfigError("--label_map goes with --records; here the config names it.")
        flag_checks.input_file("label_map", options.label_map)
    if options.report:
        flag_checks.output_file("report", options.report)


def _files(patterns: Sequence[str], flag: str) -> tuple[str, ...]:
    """The files that match, each once; `ConfigError` for a pattern without any."""
    found: dict[str, None] = {}
    for pattern in patterns:
        if flag_checks.is_remote(pattern):
            raise ConfigError(f"{flag}: {pattern!r} is not on this machine. Copy the records here.")
        matching = scan.matching_files(pattern)
        if not matching:
            raise ConfigError(f"{flag}: no file matches {pattern!r}.")
        found |= dict.fromkeys(matching)
    if not found:
        raise ConfigError(f"{flag}: names no file.")
    return tuple(found)


def _sources_of_config(path: str) -> list[Source]:
    """The readers of a config; of those that read the same by the same rules, the first."""
    flag_checks.input_file("pipeline_config_path", path)
    configs = config_util.get_configs_from_pipeline_file(path)
    num_classes = config_util.get_number_of_classes(configs["model"])
    readers = [("train_input_reader", configs["train_input_config"])]
    readers += [("eval_input_reader", one) for one in configs["eval_input_configs"]]
    sources: dict[tuple[tuple[str, ...], Rules], Source] = {}
    for name, reader in readers:
        patterns = list(reader.tf_record_input_reader.input_path)
        where = f"{path}: {name}.tf_record_input_reader.input_path"
        rules = reader_rules.of_reader(reader, num_classes, reader.bad_records.max_megapixels)
        paths = _files(patterns, where)
        sources.setdefault((paths, rules), Source(name, paths, rules))
    return list(sources.values())


def _source_of_flags(options: argparse.Namespace) -> Source:
    label_map, num_classes = options.label_map, options.num_classes
    rules = Rules(
        num_keypoints=options.num_keypoints or 0,
        num_classes=num_classes,
        label_names=reader_rules.class_names(label_map, num_classes) if label_map else None,
        max_megapixels=options.max_megapixels or Rules.max_megapixels,
    )
    return Source("records", _files(options.records, "--records"), rules)


def judge(sources: Sequence[Source], num_workers: int) -> list[Outcome]:
    """Scans the files of all sources, and shows how far it is where somebody can see it.

    Args:
        sources: what to scan.
        num_workers: processes; 0: as many as are worth it.

    Raises:
        DataError: a process ended early, or a file changed meanwhile.
    """
    total = sum(scan.total_bytes(source.paths) for source in sources)
    outcomes = []
    with tqdm.tqdm(
        total=total, desc="checking", unit="B", unit_scale=True, disable=None, leave=False
    ) as bar:
        for source in sources:
            scans = scan.scan_files(source.paths, source.rules, num_workers or None, bar.update)
            outcomes.append(Outcome(source, scans))
    return outcomes


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def as_text(outcome: Outcome) -> str:
    """What was found, for a console: by reason, each with some examples."""
    by_reason: dict[str, list[Finding]] = {}
    for one in outcome.scans:
        for finding in one.findings:
            by_reason.setdefault(finding.reason, []).append(finding)
    number = len(outcome.scans)
    lines = [f"{outcome.source.name} ({_count(number, 'file')}): {findings.summary(outcome.scans)}"]
    for action, reasons in findings.counts(outcome.scans).items():
        for reason, count in reasons.items():
            code = f"{count} {reason}".ljust(_WIDTH)
            lines.append(f"  {action:8}  {code}  {findings.text(reason)}")
            listed = by_reason.get(reason, [])
            lines += [
                f"      {finding.place()}: {finding.detail}" for finding in listed[:_MOST_EXAMPLES]
            ]
            if count > _MOST_EXAMPLES:
                lines.append(f"      and {count - _MOST_EXAMPLES} more")
    return "\n".join(lines)


def is_clean(outcomes: Sequence[Outcome]) -> bool:
    """Whether every record is used as it is; what is only noted does no harm."""
    return not any(
        action != findings.NOTED
        for outcome in outcomes
        for one in outcome.scans
        for _, action in one.counts()
    )


def run(arguments: Sequence[str]) -> tuple[str, bool]:
    """Runs the program.

    Args:
        arguments: the command line, without the program's name.

    Returns:
        What to tell the user, and whether every record is used as it is.

    Raises:
        ConfigError: a flag or the config has no sense.
        DataError: the scan was not ended.
    """
    options = parse_flags(arguments)
    _check_flags(options)
    if options.pipeline_config_path:
        sources = _sources_of_config(options.pipeline_config_path)
    else:
        sources = [_source_of_flags(options)]
    outcomes = judge(sources, options.num_workers)
    said = [as_text(outcome) for outcome in outcomes]
    if options.report:
        content = [
            {"reader": outcome.source.name, **findings.report(outcome.scans)}
            for outcome in outcomes
        ]
        files.write_json(options.report, {"readers": content})
        said.append(f"report: {os.path.abspath(options.report)}")
    return "\n".join(said), is_clean(outcomes)


def main(arguments: Sequence[str]) -> None:
    """Runs the program, prints what it found, and ends the process.

    Args:
        arguments: the command line, without the program's name.
    """
    clean = False

    def action() -> str:
        nonlocal clean
        said, clean = run(arguments)
        return said

    startup.run_program(NAME, action)
    sys.exit(0 if clean else 1)
