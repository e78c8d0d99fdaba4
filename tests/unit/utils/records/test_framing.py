import struct
import time

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.dataset_tools.record_writer import RecordWriter
from object_detection.utils.records import framing
from object_detection.utils.records.framing import RecordFile, framed, lay_out, masked_crc


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


CONTENTS = [b"first" * 9, b"", b"third" * 200, b"4", b"fifth" * 50]
FRAMED = [framed(content) for content in CONTENTS]
STARTS = np.cumsum([0, *map(len, FRAMED)]).tolist()
WHOLE = b"".join(FRAMED)


def layout_of(path, data):
    path.write_bytes(data)
    with RecordFile(str(path)) as file:
        layout = lay_out(file)
        whole = [file.content(*span) for span in layout.spans.tolist()]
    return whole, [gap[:4] for gap in layout.gaps]


def changed(data, place, value=0x40):
    return data[:place] + bytes([data[place] ^ value]) + data[place + 1 :]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.record"


def test_whole_file(path):
    assert layout_of(path, WHOLE) == (CONTENTS, [])
    assert layout_of(path, b"") == ([], [])


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("byte", [0, 4, 7, 8, 11])
def test_damaged_header(path, number, byte):
    """The next record is found, whatever became of the length; only this one is lost."""
    data = changed(WHOLE, STARTS[number] + byte)
    whole, gaps = layout_of(path, data)
    assert whole == CONTENTS[:number] + CONTENTS[number + 1 :]
    assert gaps == [(number, STARTS[number], STARTS[number + 1], framing.DAMAGED_LENGTH)]


@pytest.mark.parametrize("number", [0, 2, 3, 4])
@pytest.mark.parametrize("from_end", [-1, -4, -5])
def test_damaged_content(path, number, from_end):
    """Its place is known, so it is no gap."""
    whole, gaps = layout_of(path, changed(WHOLE, STARTS[number + 1] + from_end))
    assert whole == [*CONTENTS[:number], None, *CONTENTS[number + 1 :]]
    assert not gaps


@pytest.mark.parametrize("length", range(1, len(FRAMED[4])))
def test_cut_off(path, length):
    whole, gaps = layout_of(path, WHOLE[: STARTS[4] + length])
    assert whole == CONTENTS[:4]
    assert gaps == [(4, STARTS[4], STARTS[4] + length, framing.TRUNCATED)]


@pytest.mark.parametrize("count", [1, 3, 500, 995])
def test_bytes_lost_in_a_content(path, count):
    """The record seems to reach into the next one, which is found all the same."""
    place = STARTS[2] + 13
    whole, gaps = layout_of(path, WHOLE[:place] + WHOLE[place + count :])
    assert whole == CONTENTS[:2] + CONTENTS[3:]
    assert gaps == [(2, STARTS[2], STARTS[3] - count, framing.DAMAGED_LENGTH)]


def test_bytes_too_many(path):
    data = WHOLE[: STARTS[2]] + b"rubbish" + WHOLE[STARTS[2] :]
    whole, gaps = layout_of(path, data)
    assert whole == CONTENTS
    assert gaps == [(2, STARTS[2], STARTS[2] + 7, framing.DAMAGED_LENGTH)]


def test_two_records_damaged_beside_each_other(path):
    data = changed(changed(WHOLE, STARTS[2] + 1), STARTS[4] - 1)
    whole, gaps = layout_of(path, data)
    assert whole == CONTENTS[:2] + CONTENTS[4:]
    assert gaps == [(2, STARTS[2], STARTS[4], framing.DAMAGED_LENGTH)]


def test_no_records_at_all(path):
    data = np.random.default_rng(0).bytes(100_000)
    assert layout_of(path, data) == ([], [(0, 0, 100_000, framing.DAMAGED_LENGTH)])


def test_records_that_tensorflow_wrote(path):
    """Numbers and places against a reader that is not ours."""
    random = np.random.default_rng(1)
    contents = [random.bytes(int(size)) for size in random.integers(0, 3000, 200)]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for content in contents:
            writer.write(content)
    whole, gaps = layout_of(path, path.read_bytes())
    assert (whole, gaps) == (contents, [])
    with RecordFile(str(path)) as file:
        spans = lay_out(file).spans.tolist()
    for number in (0, 77, 199):
        offset, length = spans[number]
        one = tf.data.FixedLengthRecordDataset(
            str(path), length, offset, path.stat().st_size - offset - length
        )
        with tf.Session() as session:
            assert session.run(one.make_one_shot_iterator().get_next()) == contents[number]


def test_search_over_windows(path):
    """Damage longer than what is looked through at a time."""
    data = (
        FRAMED[0] + bytes(9_000_000) + FRAMED[2] + np.random.default_rng(0).bytes(700) + FRAMED[4]
    )
    whole, gaps = layout_of(path, data)
    assert whole == [CONTENTS[0], CONTENTS[2], CONTENTS[4]]
    assert [gap[2] - gap[1] for gap in gaps] == [9_000_000, 700]


def _zeros():
    return bytes(20_000_000)


def _headers():
    """Headers without end, each of a record that reaches to the end of the file."""
    count = 60_000
    lengths = [struct.pack("<Q", max(12 * left - 16, 0)) for left in range(count, 0, -1)]
    return b"\0" + b"".join(one + struct.pack("<I", masked_crc(one)) for one in lengths)


def _many_gaps():
    return (framed(b"") + b"x") * 60_000


def _small_numbers():
    return np.arange(2_500_000, dtype="<u8").tobytes()


@pytest.mark.parametrize("made", [_zeros, _headers, _many_gaps, _small_numbers])
def test_hostile_files_cost_little(path, made):
    path.write_bytes(made())
    with RecordFile(str(path)) as file:
        before = time.process_time()
        layout = lay_out(file)
        assert time.process_time() - before < 5
    assert layout.gaps
    given_up = [gap.given_up for gap in layout.gaps]
    assert any(given_up) == (made in (_headers, _many_gaps))


def test_damage_drawn_at_random(path):
    """Whatever is damaged: records that are found are whole records, in their order."""
    random = np.random.default_rng(0)
    contents = [random.bytes(int(size)) for size in random.integers(0, 60, 40)]
    clean = b"".join(map(framed, contents))
    for _ in range(300):
        data = bytearray(clean)
        for _ in range(random.integers(1, 5)):
            place = int(random.integers(len(data)))
            kind = random.integers(4)
            if kind == 0:
                data[place] ^= 1 << random.integers(8)
            elif kind == 1:
                del data[place : place + int(random.integers(1, 90))]
            elif kind == 2:
                data[place:place] = random.bytes(random.integers(1, 90))
            else:
                data[place : place + 8] = bytes(8)
        whole, gaps = layout_of(path, bytes(data))
        found = [content for content in whole if content is not None]
        rest = iter(contents)
        assert all(one in rest for one in found)
        # One piece of damage takes two records at most.
        assert len(found) >= len(contents) - 8 - 4 * 2
        covered = sum(len(one) for one in found) + 16 * len(whole)
        lost = sum(gap[2] - gap[1] for gap in gaps)
        assert covered + lost <= len(data)
