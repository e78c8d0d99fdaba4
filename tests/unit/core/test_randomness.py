"""Draws under a key: the same again from the same key, others from another, none alike by accident."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor, randomness
from object_detection.core.balanced_positive_negative_sampler import BalancedPositiveNegativeSampler
from object_detection.core.standard_fields import InputDataFields as F
from object_detection.predictors.heads import head

pytestmark = pytest.mark.filterwarnings("ignore:Seed .* from outer graph")


def _draws():
    return {
        "uniform": randomness.uniform([3]),
        "again": randomness.uniform([3]),
        "integers": randomness.uniform([50], 0, 10, tf.int32),
        "normal": randomness.normal([1000], 2.0),
        "shuffled": randomness.shuffled(tf.range(50)),
        "dropout": randomness.dropout(tf.ones([1000]), 0.75),
        "idle dropout": randomness.dropout(tf.ones([3]), 0.75, is_training=False),
    }


def _of(key, make=_draws):
    """Values from a graph and session of their own."""
    with tf.Graph().as_default(), tf.Session() as session:
        with randomness.keyed(randomness.key(*key)):
            made = make()
        return session.run(made)


def test_a_key_gives_its_numbers_again_and_another_key_others():
    first, second = _of((7, 1, 2)), _of((7, 1, 2))
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], name)
    for other in ((8, 1, 2), (7, 2, 1), (7, 1, 3), (-7, 1, 2), (7 + (1 << 62), 1, 2)):
        values = _of(other)
        for name in set(first) - {"idle dropout"}:
            assert np.any(values[name] != first[name]), (other, name)
    assert np.any(first["uniform"] != first["again"])


def test_draws_of_neighbouring_keys_are_not_each_other_s():
    draws = [
        _of((5, 0, number), lambda: [randomness.uniform([]) for _ in range(4)])
        for number in range(4)
    ]
    assert len(set(np.ravel(draws))) == 16


def test_what_the_draws_are():
    values = _of((3,))
    assert set(values["integers"]) == set(range(10))
    # Standard errors: 2 / sqrt(1000) = 0.06 and 2 / sqrt(2000) = 0.045.
    assert abs(values["normal"].mean()) < 0.25
    assert abs(values["normal"].std() - 2.0) < 0.2
    assert sorted(values["shuffled"]) == list(range(50))
    assert sorted(set(values["dropout"])) == pytest.approx([0, 4 / 3])
    assert 700 < np.count_nonzero(values["dropout"]) < 800
    assert values["idle dropout"].tolist() == [1, 1, 1]


def test_without_a_key_the_graph_s_seed_counts(run):
    first = tf.random.uniform([3])
    tf.set_random_seed(1)
    values = run([first, randomness.uniform([3]), randomness.dropout(tf.ones([3]), 1.0)])
    assert np.all((values[1] >= 0) & (values[1] < 1))
    assert np.any(values[0] != values[1])
    assert randomness.next_key() is None


def test_a_user_s_seed_changes_the_draw():
    one, other, none = (
        _of((1,), lambda seed=seed: randomness.uniform([3], seed=seed)) for seed in (1, 2, None)
    )
    assert np.any(one != other)
    assert np.any(one != none)


def test_rounds_of_a_loop_draw_anew():
    def rounds():
        def body(number):
            with randomness.each(number):
                return randomness.uniform([])

        return tf.map_fn(body, tf.range(5), fn_output_signature=tf.float32)

    values = _of((1,), lambda: [rounds(), rounds()])
    assert len(set(np.concatenate(values))) == 10


def test_a_sampler_in_a_loop_picks_anew_for_each_picture():
    sampler = BalancedPositiveNegativeSampler()

    def sample(number):
        with randomness.each(number):
            return sampler.subsample(tf.fill([40], True), 10, labels=tf.range(40) < 20)

    picked = _of((1,), lambda: tf.map_fn(sample, tf.range(2), fn_output_signature=tf.bool))
    assert picked.sum(axis=1).tolist() == [10, 10]
    assert picked[:, :20].sum(axis=1).tolist() == [5, 5]
    assert np.any(picked[0] != picked[1])


def test_dropout_of_a_head():
    dropped = _of((1,), lambda: head.pooled(tf.ones([50, 2, 2, 1]), True, 0.5, True))
    assert sorted(set(dropped[:, 0])) == [0, 2]
    kept = _of((1,), lambda: head.pooled(tf.ones([50, 2, 2, 1]), True, 0.5, False))
    assert set(kept[:, 0]) == {1}


STEPS = [
    (preprocessor.random_horizontal_flip, {}),
    (preprocessor.ssd_random_crop, {}),
    (preprocessor.random_distort_color, {}),
    (preprocessor.random_pad_image, {}),
    (preprocessor.random_jitter_boxes, {}),
    (preprocessor.random_patch_gaussian, {"random_coef": 0.0}),
    (preprocessor.autoaugment_image, {"policy_name": "v2"}),
]


def _augmented():
    sample = {
        F.image: tf.reshape(tf.range(20 * 30 * 3, dtype=tf.float32), [1, 20, 30, 3]) % 256,
        F.groundtruth_boxes: tf.constant([[0.1, 0.1, 0.6, 0.7], [0.3, 0.3, 0.9, 0.9]]),
        F.groundtruth_classes: tf.constant([1, 1]),
        F.groundtruth_weights: tf.ones([2]),
    }
    return preprocessor.preprocess(sample, STEPS)


def test_augmentations_follow_the_key():
    """Samples of parallel workers of a dataset, and the same drawn one by one, in another order."""
    with tf.Session() as session:
        tf.set_random_seed(1)

        def sample(number):
            with randomness.keyed(randomness.key(5, number)):
                return _augmented()

        samples = tf.data.Dataset.range(3).map(sample, num_parallel_calls=2)
        following = tf.data.make_one_shot_iterator(samples).get_next()
        found = [session.run(following) for _ in range(3)]
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(2)
        number = tf.placeholder(tf.int64, [])
        alone = sample(number)
        for wanted in (2, 0, 2):
            values = session.run(alone, {number: wanted})
            for field, value in values.items():
                np.testing.assert_allclose(found[wanted][field], value, atol=1e-4, err_msg=field)
    assert len({one[F.image].shape for one in found}) == 3
