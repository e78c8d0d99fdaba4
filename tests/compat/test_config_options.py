"""Every field of an SSD's config builds, is refused by name, or has a documented reason."""

import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import config_options

pytestmark = pytest.mark.filterwarnings(
    "ignore:Seed .* from outer graph", "ignore:.*AutoGraph", "ignore:.*autograph"
)


@pytest.fixture(scope="module")
def statuses(tmp_path_factory):
    return config_options.all_statuses(tmp_path_factory.mktemp("config"))


def test_the_page_is_true(statuses):
    assert config_options.PAGE.read_text(encoding="utf-8") == config_options.page(statuses), (
        "docs/config_options.md is out of date: python tests/compat/config_options.py"
    )


def test_no_field_is_ignored_silently(statuses):
    reasons = config_options.reasons()
    for name, (status, error) in statuses.items():
        if status == "no effect":
            assert len(config_options.reason_of(name, reasons)) > 15, (
                f"{name} is read by nobody: use it, refuse it with a ConfigError that names it, or "
                "say in tests/compat/config_options.txt why that is harmless"
            )
        if status == "refused":
            assert error, name


def test_no_reason_is_stale(statuses):
    idle = {name for name, (status, _) in statuses.items() if status == "no effect"}
    for name in config_options.reasons():
        matching = {one for one in idle if one == name or f"*.{one.rpartition('.')[2]}" == name}
        assert matching, f"config_options.txt: {name} has an effect by now"


def test_every_field_of_the_interface_has_a_row(statuses, shared_compat):
    schema = json.loads((shared_compat / "pipeline_schema.json").read_text())
    for file, content in schema.items():
        if pathlib.Path(file).stem in config_options.ELSEWHERE:
            continue
        for message, description in content["messages"].items():
            for field in description["fields"]:
                assert f"{message}.{field['name']}" in statuses, f"{message}.{field['name']}"


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("Ssd.num_classes", "builds"),
        ("Ssd.mask_head_config", "refused"),
        ("KeypointBoxCoder.num_keypoints", "builds"),
        ("TrainConfig.num_steps", "builds"),
        ("TrainConfig.use_bfloat16", "builds"),
        ("TrainConfig.sync_replicas", "no effect"),
        ("EvalConfig.metrics_set", "builds"),
        ("EvalConfig.eval_master", "refused"),
        ("Quantization.delay", "builds"),
        ("CosineDecayLearningRate.hold_base_rate_steps", "builds"),
    ],
)
def test_known_fields(statuses, field, status):
    """The way of finding out tells the three apart."""
    assert statuses[field][0] == status


def test_a_message_remembers_what_was_read():
    log = set()
    config = config_options.Recorder(config_options.base_config().model, log)
    assert config.ssd.num_classes == 2
    assert config.ssd.box_coder.WhichOneof("box_coder_oneof") == "faster_rcnn_box_coder"
    assert log == {
        "DetectionModel.ssd",
        "Ssd.num_classes",
        "Ssd.box_coder",
        "BoxCoder.faster_rcnn_box_coder",
    }
