//! Projects on disk: what is read, and what is said about broken files.
