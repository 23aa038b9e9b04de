//! `otto ssh`: hands the terminal to a session on one host. Nothing of otto stays in between.

use std::os::unix::process::CommandExt;
use std::process::Command;

use super::failure::Result;
use super::on_host::{not_started, one, places};
use super::world::World;
use crate::project::Selection;

/// Becomes the session; its exit code is that of the command on the host.
///
/// # Errors
/// A host that is not known or not the only one of its name, a missing program.
pub fn enter(world: &World, selection: &Selection, host: &str, words: &[String], terminal: bool) -> Result<u8> {
    let opened = world.open()?;
    let place = one(places(world, &opened, selection)?, host)?;
    let started = place.command(world, &opened, words, terminal || words.is_empty());
    let mut command = Command::new(&started.argv[0]);
    command.args(&started.argv[1..]).envs(&started.env);
    if let Some(folder) = &started.folder {
        command.current_dir(folder);
    }
    Err(not_started(&started.argv[0], &command.exec()))
}
