"""Writers of submission files, one module a format."""
