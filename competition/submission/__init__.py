"""Submissions: what is handed in, in which form, read back before upload, and what the public board says of it."""
