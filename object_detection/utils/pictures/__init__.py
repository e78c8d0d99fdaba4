"""Picture files looked at without TensorFlow, and mostly without decoding them."""
