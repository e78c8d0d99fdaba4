import inspect

import pytest
import tensorflow.compat.v1 as tf

from object_detection.utils.as_written import as_written


@pytest.mark.parametrize(
    ("decorate", "is_rewritten"),
    [
        pytest.param(as_written, False, id="as written"),
        pytest.param(lambda function: function, True, id="as tf.data has it otherwise"),
    ],
)
def test_functions_and_what_they_call(decorate, is_rewritten):
    """What AutoGraph has rewritten comes from another file."""
    files = set()

    def inner(value):
        files.add(inspect.currentframe().f_code.co_filename)
        return 2 * value

    @decorate
    def doubled(value):
        return inner(value)

    dataset = tf.data.Dataset.range(3).map(doubled)
    values = tf.data.make_one_shot_iterator(dataset).get_next()
    with tf.Session() as session:
        assert [session.run(values) for _ in range(3)] == [0, 2, 4]
    assert (files != {__file__}) == is_rewritten
