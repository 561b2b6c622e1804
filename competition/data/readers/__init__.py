"""One module for each form that competitions ship their data in; `choose` picks the one that the settings describe."""
