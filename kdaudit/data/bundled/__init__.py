"""The one data set that the package holds; see SOURCE.txt."""
