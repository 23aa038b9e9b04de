//! The binary: a supervisor or a child on a leash when re-executed as one, else the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all, before anything that allocates, threads or reads settings: a supervisor stays small.
    if let Some(code) = otto::ops::supervise_if_asked(&mut std::env::args_os()) {
        return ExitCode::from(code);
    }
    if let Some(code) = otto::ops::leash_if_asked(&mut std::env::args_os()) {
        return ExitCode::from(code);
    }
    ExitCode::from(otto::cli::main())
}
