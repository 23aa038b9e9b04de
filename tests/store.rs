//! The store against a real disk: kills, cuts, full and read-only folders, old files.
