"""Where answers are kept: the one door to every subject, what it costs, and whether the teacher stayed the same."""
