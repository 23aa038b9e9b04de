//! Projects on disk: what is read from them, what is said about broken ones, what is selected, hashed and created.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "project/broken.rs"]
mod broken;
#[path = "project/created.rs"]
mod created;
#[path = "project/folder.rs"]
mod folder;
#[path = "project/good.rs"]
mod good;
#[path = "project/hashed.rs"]
mod hashed;
#[path = "project/selected.rs"]
mod selected;
#[path = "project/shared.rs"]
mod shared;
#[path = "project/survived.rs"]
mod survived;
