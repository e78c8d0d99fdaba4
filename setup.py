"""Packaging: `pip install .`, or `pip install -e ".[dev]"` to work on the project."""

import pathlib

import setuptools

HERE = pathlib.Path(__file__).resolve().parent

setuptools.setup(
    name="object_detection",
    version="0.1.0",
    description="Train, evaluate and export detectors of boxes and keypoints in TensorFlow",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=setuptools.find_packages(include=["object_detection", "object_detection.*"]),
    package_data={
        "object_detection": [
            "py.typed",
            "protos/*.proto",
            "protos/*.pyi",
            "keypoints/schemas/*.json",
        ]
    },
    install_requires=[
        "tensorflow>=2.21,<2.22",
        "tf-slim>=1.1.0",
        "pycocotools>=2.0.7",
        "numpy",
        "google-crc32c",
        "orjson",
        "pillow>=10.1",
        "lxml",
        "contextlib2",
        "tqdm",
    ],
    extras_require={
        # For the official .mat files of WIDER FACE.
        "wider": ["scipy"],
        # For plots of evaluations as pictures; without it their numbers stand in CSV files.
        "plots": ["matplotlib>=3.8"],
        "dev": [
            "pytest>=8",
            "pytest-xdist>=3.5",
            "ruff>=0.8",
            "mypy>=1.13",
            "types-tqdm",
            "import-linter>=2.1",
            "vulture>=2.13",
            "scipy",
            "matplotlib>=3.8",
        ],
    },
)
