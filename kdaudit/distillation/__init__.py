"""Distillation: from a teacher's recorded answers to a student."""
