"""Scripted tests of bias: groups and counterfactuals, answered by the teacher and shown beside the proxy."""
