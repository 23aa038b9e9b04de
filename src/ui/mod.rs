//! The terminal: progress, tables, errors, prompts, JSON. The only place that prints.
//!
//! stdout is data, stderr is talk. Events are folded into a `fold::Run`; what is shown of it are pure functions
//! (frame, lines, summary), so that live display, plain log and replay show the same. Renderers return texts, and
//! [`Out`] alone writes them.

pub mod ask;
mod changes;
pub mod ci;
pub mod confirm;
pub mod error;
pub mod findings;
mod fold;
mod frame;
pub mod junit;
mod lines;
mod live;
pub mod out;
pub mod plan;
pub mod runs;
pub mod screen;
pub mod spend;
pub mod status;
mod status_detail;
mod summary;
pub mod table;
pub mod term;
#[cfg(test)]
mod tests;
pub mod text;
pub mod theme;
pub mod tools;

pub use ask::TerminalAsk;
pub use changes::{render_drift, render_resources};
pub use ci::{Ci, Grouped};
pub use confirm::{Changes, render_changes};
pub use error::{Problem, render_error, render_problems};
pub use findings::{Verdict, render_findings};
pub use junit::Junit;
pub use out::Out;
pub use plan::{render_costs, render_plan};
pub use runs::render_runs;
pub use screen::{Mode, Pace, Screen};
pub use spend::{render_explained, render_spend, spend_csv};
pub use status::render_status;
pub use table::{Column, Table};
pub use term::{Color, Term, TermVars};
pub use theme::{Theme, Tone};
pub use tools::render_rows;
