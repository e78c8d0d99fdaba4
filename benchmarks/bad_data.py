#!/usr/bin/env python3
"""Whether a training on records of which many are bad ends as one on good records.

python benchmarks/bad_data.py --output_directory runs/bad_data

Draws faces, plants faults in their records (5 % of them with each kind; no record has two), trains
the demo's recipe, shortened, on three sets, and prints the metrics:

* `clean`: the records as they were;
* `fewer`: as they were, but without those that the plan makes unusable;
* `faulty`: with the faults.

Also tells whether the report of the training lists exactly what was planted. What is finished is
not done again.
"""

import argparse
import json
import pathlib
import subprocess
import sys
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from google.protobuf import text_format

from benchmarks import compare_training
from benchmarks.environment import environment
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_util, files
from object_detection.utils.records import framing
from tests import faults

REPO = pathlib.Path(__file__).resolve().parents[1]
CONFIG = REPO / "keypoint_examples" / "pipeline_demo.config"
SETS = ["clean", "fewer", "faulty"]


def run(*command: object) -> None:
    """Runs a script of the project; its output is not needed."""
    subprocess.run(
        [sys.executable, *map(str, command)], cwd=REPO, check=True, stdout=subprocess.DEVNULL
    )


def write_records(folder: pathlib.Path, pictures: int) -> None:
    """`train.record` and `val.record` of drawn faces."""
    if not (folder / "pictures" / "val" / "label.txt").exists():
        run("scripts/make_drawn_faces.py", "--out", folder / "pictures", "--train", pictures)
    for part in ("train", "val"):
        if not (folder / f"{part}.record").exists():
            run(
                "scripts/txt_to_tfr_retface_v2.py",
                f"--itxt={folder / 'pictures' / part / 'label.txt'}",
                f"--idir={folder / 'pictures' / part / 'images'}",
                f"--opath={folder / part}.record",
            )


def config_of(folder: pathlib.Path, records: str, options: argparse.Namespace) -> Any:
    """The demo's config for one of the sets of records."""
    pipeline = text_format.Parse(
        CONFIG.read_text(encoding="utf-8"), pipeline_pb2.TrainEvalPipelineConfig()
    )
    pipeline = compare_training.config_of(pipeline, "", options.num_train_steps)
    resizer = pipeline.model.ssd.image_resizer.fixed_shape_resizer
    resizer.height = resizer.width = options.size
    readers = [pipeline.train_input_reader, *pipeline.eval_input_reader]
    for reader, name in zip(readers, (records, "val"), strict=True):
        reader.tf_record_input_reader.input_path[:] = [str(folder / f"{name}.record")]
        reader.label_map_path = str(REPO / reader.label_map_path)
        reader.bad_records.max_share = 0.9
    pipeline.eval_config.num_visualizations = 0
    return config_util.completed(pipeline, str(CONFIG))


def main() -> None:
    """Draws, plants, trains and compares."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output_directory", type=pathlib.Path, required=True)
    parser.add_argument("--pictures", type=int, default=800)
    parser.add_argument("--share", type=float, default=0.05, help="records with each fault")
    parser.add_argument("--num_train_steps", type=int, default=600)
    parser.add_argument("--size", type=int, default=192, help="side of the network's input")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="of records")
    options = parser.parse_args()
    folder = options.output_directory.resolve()
    write_records(folder, options.pictures)
    clean = list(faults.contents(folder / "train.record"))
    kinds = [fault for fault in faults.FAULTS if fault.reason != "class_unknown"]
    plan = faults.plant(
        folder / "train.record",
        folder / "faulty.record",
        share=options.share,
        seed=0,
        faults=[*kinds, faults.CLASS_BEYOND],
    )
    bad = {one.number for one in plan if one.fault.action == "skipped"}
    good = [content for number, content in enumerate(clean, start=1) if number not in bad]
    (folder / "fewer.record").write_bytes(b"".join(map(framing.framed, good)))
    results: dict[str, list[Any]] = {name: [] for name in SETS if name in options.sets}
    for seed in options.seeds:
        for name in results:
            records = "train" if name == "clean" else name
            config = config_of(folder, records, options)
            results[name].append(compare_training.run(name, seed, config, folder, []))
    print(f"{len(clean)} records, {len(plan)} with a fault, {len(bad)} of them left out")
    as_planned = None
    if "faulty" in results:
        report = json.loads(
            (folder / f"faulty_{options.seeds[0]}" / "records_report.json").read_text("utf-8")
        )
        found = sorted((one["number"], one["reason"], one["action"]) for one in report["findings"])
        as_planned = found == sorted(one.as_found for one in plan)
        print(f"the report lists {'exactly' if as_planned else 'NOT'} what was planted")
    print("\n".join(compare_training.table(results, ["mAP@.50IOU", "Keypoints/NME"])))
    files.write_json(
        str(folder / "bad_data.json"),
        {
            "records": len(clean),
            "with_fault": len(plan),
            "left_out": len(bad),
            "report_as_planned": as_planned,
            "results": results,
            "environment": environment(),
        },
    )
    if as_planned is False:
        sys.exit(1)


if __name__ == "__main__":
    main()
