"""comp: run a team through an image-segmentation competition."""

__version__ = "0.1.0"
