"""What costs teams their private score, looked for before it does: twins, leaks, empty masks, changed files."""
