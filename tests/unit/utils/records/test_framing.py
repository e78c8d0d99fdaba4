import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.dataset_tools.record_writer import RecordWriter
from object_detection.utils.records.framing import framed, masked_crc


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        # RFC 3720, appendix B.4, and the check value of the CRC catalogue.
        pytest.param(b"", 0, id="nothing"),
        pytest.param(b"\x00" * 32, 0x8A9136AA, id="zeros"),
        pytest.param(b"\xff" * 32, 0x62A8AB43, id="ones"),
        pytest.param(bytes(range(32)), 0x46DD794E, id="rising"),
        pytest.param(b"123456789", 0xE3069283, id="digits"),
    ],
)
def test_masked_crc_can_be_unmasked(data, crc):
    turned = (masked_crc(data) - 0xA282EAD8) % 2**32
    assert (turned << 15 | turned >> 17) % 2**32 == crc


def test_tensorflow_reads_what_is_written(tmp_path):
    """Its reader checks both checksums."""
    random = np.random.default_rng(0)
    records = [random.bytes(size) for size in (0, 1, 63, 64, 1000, 70000)]
    path = str(tmp_path / "a.record")
    with RecordWriter(path) as writer:
        for record in records:
            writer.write_framed(framed(record))
    assert list(tf.io.tf_record_iterator(path)) == records


def test_a_changed_byte_is_found(tmp_path):
    path = tmp_path / "a.record"
    content = bytearray(framed(b"x" * 100))
    content[50] ^= 1
    path.write_bytes(content)
    with pytest.raises(tf.errors.DataLossError):
        list(tf.io.tf_record_iterator(str(path)))
