//! Google: the unchanged root `clowd/provision/gcp` on a stand-in of its APIs, with a provider that has the real one's attributes.

#[path = "google/life.rs"]
mod life;
#[path = "google/records.rs"]
mod records;
