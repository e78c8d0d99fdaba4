"""Each flag of each program, wrong in turn: one message that names it, and nothing half written.

The flags are those that the programs register, so that a flag without a case fails.
"""

import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from program_server import REACHED, REPO, Outcome, Server

pytestmark = pytest.mark.slow

MOST_LINES = 24  # a screen


# What can be wrong with a flag: name of the mistake -> value. Folders of the tests stand for {work}.
Wrong = Mapping[str, str]
EMPTY = {"empty": ""}
FILE: Wrong = {"absent": "{work}/none", "a folder": "{work}/folder", **EMPTY}
FOLDER: Wrong = {"absent": "{work}/none", "a file": "{work}/file", **EMPTY}
OUT_FILE: Wrong = {"a folder": "{work}/folder", "below a file": "{work}/file/x", **EMPTY}
OUT_FOLDER: Wrong = {"a file": "{work}/file", "below a file": "{work}/file/x/y", **EMPTY}
SWITCH: Wrong = {"neither": "maybe"}
ARGPARSE_SWITCH: Wrong = {"a value": "1"}


def integer(least: int | None = None, most: int | None = None) -> Wrong:
    wrong = {"a word": "many", "a fraction": "1.5", **EMPTY}
    if least is not None:
        wrong["too small"] = str(least - 1)
    if most is not None:
        wrong["too large"] = str(most + 1)
    wrong["beyond all integers"] = "9" * 40
    return wrong


def share(most: float = 1.0) -> Wrong:
    return {
        "a word": "half",
        "negative": "-0.1",
        "too large": str(most + 0.1),
        "nan": "nan",
        **EMPTY,
    }


def choice(**more: str) -> Wrong:
    return {"unknown": "neither_of_them", **EMPTY, **more}


def text(**wrong: str) -> Wrong:
    """A flag that takes any text but some."""
    return wrong


class Program(NamedTuple):
    """How a program is called, and what can be wrong with each of its flags."""

    path: str
    good: Mapping[str, str]  # flags without which it does not run
    wrong: Mapping[str, Wrong]
    pictures: tuple[str, ...] = ()  # what is no flag
    optional: frozenset[str] = frozenset()  # of `good`


CONFIG = {"pipeline_config_path": "{work}/x.config"}
_OLD_CONFIGS = {
    name: {"absent": "{work}/none", "a folder": "{work}/folder"}
    for name in ("train_config_path", "eval_config_path", "input_config_path", "model_config_path")
}
COCO = {"train_image_dir": "{work}/images", "train_annotations_file": "{work}/coco.json"}


def _absent_or_folder() -> Wrong:
    return {"absent": "{work}/none", "a folder": "{work}/folder"}


PROGRAMS = {
    "txt_to_tfr_retface_v2": Program(
        "scripts/txt_to_tfr_retface_v2.py",
        {"itxt": "{work}/label.txt", "idir": "{work}/images", "opath": "{work}/out/a.record"},
        {
            "itxt": FILE,
            "idir": FOLDER,
            "opath": OUT_FILE,
            "thres": share(),
            "small_faces": choice(),
            "num_shards": integer(1, 1000),
            "num_workers": integer(0, 256),
        },
    ),
    "train": Program(
        "object_detection/legacy/train.py",
        {**CONFIG, "train_dir": "{work}/out/run"},
        {
            "master": text(another="grpc://host"),
            "task": integer(0, 0),
            "num_clones": integer(1, 1),
            "clone_on_cpu": SWITCH,
            "worker_replicas": integer(1, 1),
            "ps_tasks": integer(0, 0),
            "train_dir": OUT_FOLDER,
            "pipeline_config_path": FILE,
            **{
                name: _absent_or_folder()
                for name in ("train_config_path", "input_config_path", "model_config_path")
            },
            "num_train_steps": integer(1, 2**31),
            "log_every_steps": integer(1),
            "summary_every_steps": integer(1),
            "save_every_secs": integer(0),
            "seed": integer(-(2**31), 2**31),
        },
    ),
    "eval": Program(
        "object_detection/legacy/eval.py",
        {
            **CONFIG,
            "checkpoint_dir": "{work}/run",
            "eval_dir": "{work}/out/eval",
            "run_once": "true",
        },
        {
            "eval_training_data": SWITCH,
            "checkpoint_dir": FOLDER,
            "eval_dir": OUT_FOLDER,
            "pipeline_config_path": FILE,
            **{
                name: _absent_or_folder()
                for name in ("eval_config_path", "input_config_path", "model_config_path")
            },
            "run_once": SWITCH,
        },
        optional=frozenset({"run_once"}),
    ),
    "export_inference_graph": Program(
        "object_detection/export_inference_graph.py",
        {
            **CONFIG,
            "trained_checkpoint_prefix": "{work}/run/model.ckpt-7",
            "output_directory": "{work}/out/exported",
        },
        {
            "input_type": choice(),
            "input_shape": text(
                words="large",
                three="1,2,3",
                negative="1,-2,300,3",
                zero="0,300,300,3",
                open="1,,3,3",
            ),
            "pipeline_config_path": FILE,
            "trained_checkpoint_prefix": {
                "absent": "{work}/run/model.ckpt-8",
                "a folder": "{work}/run",
                "one of its files": "{work}/run/model.ckpt-7.index",
                **EMPTY,
            },
            "output_directory": OUT_FOLDER,
            "config_override": text(unknown="nonsense { }", open="model {"),
            "write_inference_graph": SWITCH,
            "additional_output_tensor_names": text(),
            "use_side_inputs": SWITCH,
            "side_input_shapes": text(without_the_switch="1,2"),
            "side_input_types": text(without_the_switch="float"),
            "side_input_names": text(without_the_switch="a"),
            "check": SWITCH,
            "check_images": text(absent="{work}/none.jpg", no_match="{work}/none/*.jpg"),
        },
    ),
    "inspect_dataset": Program(
        "scripts/inspect_dataset.py",
        {**CONFIG, "output": "{work}/out/inspected"},
        {
            "pipeline_config_path": FILE,
            "output": OUT_FOLDER,
            "max_pictures": integer(0),
            "num_drawn": integer(0, 1000),
            "num_augmented": integer(0, 100),
            "seed": integer(0, 2**31),
        },
    ),
    "detect": Program(
        "scripts/detect.py",
        {"model": "{work}/exported", "output": "{work}/out/found"},
        {
            "model": {"absent": "{work}/none", **EMPTY},
            "output": OUT_FOLDER,
            "label_map": _absent_or_folder(),
            "keypoints": text(unknown="face-5", absent="{work}/none.json"),
            "min_score": share(),
            "min_keypoint_score": share(),
            "no_pictures": ARGPARSE_SWITCH,
            "pictures": {},  # see test_pictures_that_are_not_there
        },
        pictures=("{work}/images",),
    ),
    "evaluate_wider": Program(
        "scripts/evaluate_wider.py",
        {"detections": "{work}/coco.json", "ground_truth": "{work}/folder"},
        {"detections": FILE, "ground_truth": FOLDER},
    ),
    "make_drawn_faces": Program(
        "scripts/make_drawn_faces.py",
        {"out": "{work}/out/drawn", "train": "0", "val": "0"},
        {
            "out": OUT_FOLDER,
            "train": integer(0, 1_000_000),
            "val": integer(0, 1_000_000),
            "seed": integer(0, 2**31),
            "workers": integer(1, 256),
        },
        optional=frozenset({"train", "val"}),
    ),
    "create_coco_tf_record": Program(
        "object_detection/dataset_tools/create_coco_tf_record.py",
        {**COCO, "output_dir": "{work}/out/coco"},
        {
            "include_masks": SWITCH,
            "train_image_dir": FOLDER,
            "train_annotations_file": FILE,
            **{
                f"{split}_image_dir": {"alone": "{work}/images", "absent": "{work}/none"}
                for split in ("val", "test")
            },
            **{
                f"{split}_annotations_file": {"alone": "{work}/coco.json"}
                for split in ("val", "testdev")
            },
            **{
                f"train_{kind}_annotations_file": _absent_or_folder()
                for kind in ("keypoint", "densepose")
            },
            **{
                f"val_{kind}_annotations_file": {"alone": "{work}/coco.json"}
                for kind in ("keypoint", "densepose")
            },
            "output_dir": OUT_FOLDER,
            "remove_non_person_annotations": SWITCH,
            "remove_non_person_images": SWITCH,
        },
        optional=frozenset({"output_dir"}),
    ),
    "create_kitti_tf_record": Program(
        "object_detection/dataset_tools/create_kitti_tf_record.py",
        {
            "data_dir": "{work}/folder",
            "output_path": "{work}/out/kitti",
            "label_map_path": "{work}/map.pbtxt",
        },
        {
            "data_dir": FOLDER,
            "output_path": OUT_FILE,
            "classes_to_use": text(hole="car,,van", **EMPTY),
            "label_map_path": FILE,
            "validation_set_size": integer(0),
        },
    ),
    "create_pascal_tf_record": Program(
        "object_detection/dataset_tools/create_pascal_tf_record.py",
        {
            "data_dir": "{work}/voc",
            "output_path": "{work}/out/voc.record",
            "label_map_path": "{work}/map.pbtxt",
        },
        {
            "data_dir": FOLDER,
            "set": choice(),
            "annotations_dir": text(absent="none", **EMPTY),
            "year": choice(),
            "output_path": OUT_FILE,
            "label_map_path": FILE,
            "ignore_difficult_instances": SWITCH,
        },
    ),
    "create_pet_tf_record": Program(
        "object_detection/dataset_tools/create_pet_tf_record.py",
        {
            "data_dir": "{work}/folder",
            "output_dir": "{work}/out/pets",
            "label_map_path": "{work}/map.pbtxt",
        },
        {
            "data_dir": FOLDER,
            "output_dir": OUT_FOLDER,
            "label_map_path": FILE,
            "faces_only": SWITCH,
            "mask_type": choice(),
            "num_shards": integer(1, 1000),
        },
    ),
    "validate_tfrecord": Program(
        "scripts/validate_tfrecord.py",
        {"records": "{work}/a.record"},
        {
            "pipeline_config_path": _absent_or_folder(),
            "records": {"absent": "{work}/none", **EMPTY},
            "label_map": _absent_or_folder(),
            "num_classes": integer(1),
            "num_keypoints": integer(0),
            "max_megapixels": {"a word": "many", "zero": "0", "nan": "nan", **EMPTY},
            "report": {"a folder": "{work}/folder", "below a file": "{work}/file/x"},
            "num_workers": integer(0, 10**6),
        },
    ),
    "verify_export": Program(
        "scripts/verify_export.py",
        {"model": "{work}/exported"},
        {
            "model": FOLDER,
            "images": {"absent": "{work}/none.jpg", "no match": "{work}/none/*.jpg", **EMPTY},
            "checkpoint": {"absent": "{work}/run/model.ckpt-8", "a folder": "{work}/run"},
        },
    ),
    "augmentation_sheet": Program(
        "object_detection.dataset_tools.augmentation_sheet",
        {"output": "{work}/out/sheet.png"},
        {"output": OUT_FILE, "seed": integer(0, 2**31)},
    ),
    "infer_detections": Program(
        "object_detection/inference/infer_detections.py",
        {
            "input_tfrecord_paths": "{work}/a.record",
            "output_tfrecord_path": "{work}/out/found.record",
            "inference_graph": "{work}/file",
        },
        {
            "input_tfrecord_paths": FILE,
            "output_tfrecord_path": OUT_FILE,
            "inference_graph": {"absent": "{work}/none", **EMPTY},
            "discard_image_pixels": SWITCH,
        },
    ),
    "offline_eval_map_corloc": Program(
        "object_detection/metrics/offline_eval_map_corloc.py",
        {
            "eval_dir": "{work}/out/offline",
            "eval_config_path": "{work}/empty.config",
            "input_config_path": "{work}/input.config",
        },
        {"eval_dir": OUT_FOLDER, "eval_config_path": FILE, "input_config_path": FILE},
    ),
}

# Started by `scripts/demo`, and by those who work on the project.
OTHER_SCRIPTS = {"demo_summary", "kill_test"}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Files that flags may name, each as the programs want it before they look inside."""
    folder = tmp_path_factory.mktemp("wrong_flags")
    for name in ("folder", "images", "out", "run", "exported", "voc/VOC2007/Annotations"):
        (folder / name).mkdir(parents=True)
    for name in ("file", "empty.config", "run/model.ckpt-7.index"):
        (folder / name).touch()
    (folder / "exported" / "frozen_inference_graph.pb").touch()
    Image.new("RGB", (60, 40)).save(folder / "images" / "a.jpg")
    (folder / "label.txt").write_text("# a.jpg\n10 10 20 20\n")
    (folder / "map.pbtxt").write_text("item { id: 1 name: 'face' }")
    (folder / "coco.json").write_text('{"images": [], "categories": [], "pictures": []}')
    (folder / "input.config").write_text(
        f'label_map_path: "{folder}/map.pbtxt" '
        f'tf_record_input_reader {{ input_path: "{folder}/a.record" }}'
    )
    return folder


@pytest.fixture(scope="module")
def server(work: pathlib.Path) -> Iterator[Server]:
    with Server(work) as one:
        done = one.run(
            PROGRAMS["txt_to_tfr_retface_v2"].path,
            f"--itxt={work}/label.txt",
            f"--idir={work}/images",
            f"--opath={work}/a.record",
        )
        assert done.status == 0, done.stderr
        text = (REPO / "keypoint_examples" / "pipeline_demo.config").read_text()
        for old, new in (
            ("demo_output/train.record", f"{work}/a.record"),
            ("demo_output/val.record", f"{work}/a.record"),
            ("keypoint_examples/", f"{REPO}/keypoint_examples/"),
        ):
            assert old in text, old
            text = text.replace(old, new)
        (work / "x.config").write_text(text)
        yield one


def _words(program: Program, work: pathlib.Path, **changes: str | None) -> list[str]:
    """A command line; a flag that becomes None is left out."""
    given = {**program.good, **changes}
    words = [f"--{name}={value}" for name, value in given.items() if value is not None]
    return [word.replace("{work}", str(work)) for word in (*words, *program.pictures)]


def _files(folder: pathlib.Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def fails(server: Server, work: pathlib.Path) -> Callable[..., None]:
    """Checks how a program ends, and that it leaves nothing."""

    def check(program: Program, words: list[str], named: str) -> None:
        before = _files(work)
        done = server.run(program.path, *words)
        _check(done, named)
        assert not done.tensorflow, f"TensorFlow was loaded before this was found: {done.stderr}"
        assert _files(work) == before

    return check


def _check(done: Outcome, named: str) -> None:
    said = done.stdout + done.stderr
    assert done.status in (1, 2), said
    assert "Traceback" not in said
    assert len(said.splitlines()) <= MOST_LINES, said
    assert re.search(rf"(--|[fF]lag '?|argument |_graph: ){named}\b", said), said


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_flag_has_its_cases(name: str, server: Server) -> None:
    assert server.flags(PROGRAMS[name].path) == set(PROGRAMS[name].wrong)


def test_each_script_has_its_program() -> None:
    scripts = {path.stem for path in (REPO / "scripts").glob("*.py")}
    assert scripts - OTHER_SCRIPTS <= set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_good_flags_are_taken(name: str, server: Server, work: pathlib.Path) -> None:
    """So that what is wrong below is that alone."""
    done = server.run(PROGRAMS[name].path, *_words(PROGRAMS[name], work), mode="until_tensorflow")
    if name in ("txt_to_tfr_retface_v2", "make_drawn_faces", "validate_tfrecord"):
        assert done.status == 0, done.stderr
    elif name == "evaluate_wider":
        assert "wider_face_val.mat: cannot be read" in done.stderr
    else:
        assert REACHED in done.stderr


CASES = [
    pytest.param(name, flag, value, id=f"{name}-{flag}-{what}")
    for name, program in PROGRAMS.items()
    for flag, wrong in program.wrong.items()
    for what, value in wrong.items()
]


@pytest.mark.parametrize(("name", "flag", "value"), CASES)
def test_a_wrong_value_is_named(
    name: str, flag: str, value: str, work: pathlib.Path, fails: Callable[..., None]
) -> None:
    fails(PROGRAMS[name], _words(PROGRAMS[name], work, **{flag: value}), flag)


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        (name, flag)
        for name, program in PROGRAMS.items()
        for flag in program.good
        if flag not in program.optional
    ],
)
def test_a_flag_that_is_required_is_asked_for(
    name: str, flag: str, work: pathlib.Path, fails: Callable[..., None]
) -> None:
    fails(PROGRAMS[name], _words(PROGRAMS[name], work, **{flag: None}), flag)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_flag_that_there_is_not_brings_the_nearest(
    name: str, work: pathlib.Path, fails: Callable[..., None], server: Server
) -> None:
    program = PROGRAMS[name]
    flag = next(iter(program.good))
    typo = flag[:-2] + flag[-1] + flag[-2]
    words = [word.replace(f"--{flag}=", f"--{typo}=") for word in _words(program, work)]
    fails(program, words, typo)
    assert re.search(rf"Did you mean:? (--)?{flag}", server.run(program.path, *words).stderr)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "detect"])
def test_a_word_that_is_no_flag_is_refused(name: str, work: pathlib.Path, server: Server) -> None:
    before = _files(work)
    done = server.run(PROGRAMS[name].path, *_words(PROGRAMS[name], work), "False")
    assert done.status in (1, 2)
    assert "False" in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.tensorflow
    assert _files(work) == before


@pytest.mark.parametrize("picture", ["{work}/none.jpg", "{work}/folder", ""])
def test_pictures_that_are_not_there(picture: str, work: pathlib.Path, server: Server) -> None:
    before = _files(work)
    words = [f"--{name}={value}" for name, value in PROGRAMS["detect"].good.items()]
    done = server.run(
        PROGRAMS["detect"].path, *(word.replace("{work}", str(work)) for word in (*words, picture))
    )
    assert done.status in (1, 2)
    assert "Traceback" not in done.stderr
    assert not done.tensorflow
    assert picture.replace("{work}", str(work)) in done.stderr
    assert _files(work) == before


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("train", "pipeline_config_path"),
        ("eval", "eval_dir"),
        ("export_inference_graph", "trained_checkpoint_prefix"),
        ("detect", "output"),
        ("create_coco_tf_record", "train_image_dir"),
        ("txt_to_tfr_retface_v2", "idir"),
    ],
)
def test_programs_started_anew_say_the_same(
    name: str, flag: str, work: pathlib.Path, server: Server
) -> None:
    """The server is a means, not what people use."""
    program = PROGRAMS[name]
    words = _words(program, work, **{flag: f"{work}/file/x"})
    done: Any = subprocess.run(
        [sys.executable, str(REPO / program.path), *words],
        cwd=work,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    expected = server.run(program.path, *words)
    assert (done.returncode, done.stderr) == (expected.status, expected.stderr)
    _check(expected, flag)


def test_the_tables_hold_what_they_say() -> None:
    assert len(CASES) > 250
    assert json.dumps(PROGRAMS, default=list)
