"""Edits of frozen graphs: what training needs and inference does not goes, without other results."""
