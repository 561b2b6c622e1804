"""One module for each form that competitions ship their data in."""
