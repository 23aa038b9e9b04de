//! The binary: a supervisor when re-executed as one, else the command line.
fn main() {}
