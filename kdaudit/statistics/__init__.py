"""What a number is worth: intervals, choices of rows, covariates, chance, decisions.

Arrays in, intervals out; nothing here knows a model or a report.
"""
