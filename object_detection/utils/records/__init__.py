"""Records (TFRecord files) read, judged and framed without TensorFlow, which takes seconds to load."""
