//! Packer: its call for old and current versions, its machine-readable output, its manifest.

pub mod args;
pub mod explain;
pub mod manifest;
pub mod parse;
pub mod template;

pub use args::Packer;
pub use manifest::Built;
pub use parse::{Artifact, Report, Stream};
