"""What an exported folder holds beside its models: copied as it is, and never imported by comp."""
