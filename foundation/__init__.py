"""Common ground of every room: errors, clock, storage, canonical bytes, tables, tasks. Imports no other room."""
