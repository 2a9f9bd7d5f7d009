"""The run folder: what an audit leaves behind, sealed by digests.  Knows no model."""
