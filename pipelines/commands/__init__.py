"""The commands, one a file: ``foldwise <file> ...``. Each file has ``command``; heavy libraries are imported when it is called."""
