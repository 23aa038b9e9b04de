//! The only place that writes to stdout and stderr.
//!
//! stdout carries data, stderr everything else. A reader that went away (a closed pipe) is remembered and never an
//! error: a run goes on. What reaches a terminal is guarded against control characters, and lines on stderr go above
//! the live display while there is one.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::render_error;
use super::live::Live;
use super::term::Term;
use super::text::{fitted, guard};

/// Writes; cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Out(Arc<Inner>);

struct Inner {
    term: Term,
    memory: Option<Mutex<Memory>>,
    broken: AtomicBool,
    failure: Mutex<Option<String>>,
    talk: Mutex<Talk>,
}

#[derive(Default)]
struct Memory {
    out: String,
    err: String,
}

#[derive(Default)]
struct Talk {
    live: Option<Live>,
    /// Someone is being asked: nothing else is written until the answer is there.
    asking: bool,
    waiting: Vec<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Out {
    /// Writes to this process's stdout and stderr.
    pub fn new(term: Term) -> Self {
        Self::build(term, None)
    }

    /// Writes into memory, see [`Out::taken`]: for tests.
    pub fn memory(term: Term) -> Self {
        Self::build(term, Some(Mutex::default()))
    }

    fn build(term: Term, memory: Option<Mutex<Memory>>) -> Self {
        let (broken, failure, talk) = (AtomicBool::new(false), Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { term, memory, broken, failure, talk }))
    }

    /// What was written so far to stdout and stderr, and forgets it; empty unless made by [`Out::memory`].
    pub fn taken(&self) -> (String, String) {
        self.0.memory.as_ref().map_or_else(Default::default, |memory| {
            let memory = std::mem::take(&mut *lock(memory));
            (memory.out, memory.err)
        })
    }

    /// The streams written to.
    pub fn term(&self) -> &Term {
        &self.0.term
    }

    /// The reader of stdout went away.
    pub fn broken(&self) -> bool {
        self.0.broken.load(Ordering::Relaxed)
    }

    /// Why data could not be written, other than a reader that went away (a full disk, say).
    pub fn data_failure(&self) -> Option<String> {
        lock(&self.0.failure).clone()
    }

    /// Data, to stdout, ended with a line break. Verbatim off a terminal.
    pub fn data(&self, text: &str) {
        let mut text = if self.0.term.stdout_tty { guard(text) } else { text.to_owned() };
        if !text.ends_with('\n') && !text.is_empty() {
            text.push('\n');
        }
        let talk = lock(&self.0.talk);
        match &talk.live {
            Some(live) if self.0.term.stdout_tty && !talk.asking => live.aside(|| self.to_stdout(&text)),
            _ => self.to_stdout(&text),
        }
    }

    /// A page that takes the place of the one before: `--watch`. Off a terminal one page follows the other.
    pub fn page(&self, text: &str) {
        if self.0.term.stdout_tty {
            // Home, then clear from there: what is drawn over does not flicker.
            self.to_stdout(&format!("\x1b[H\x1b[J{}", guard(text)));
        } else {
            self.data(text);
        }
    }

    /// One line or several, to stderr.
    pub fn line(&self, text: &str) {
        self.line_over(text, || None);
    }

    /// A line as it is, for those who read a log: commands of a CI system are no text.
    pub(super) fn raw_line(&self, text: &str) {
        let _talk = lock(&self.0.talk);
        self.to_stderr(&format!("{text}\n"));
    }

    /// A line, and what the live display below it has become with it.
    pub(super) fn line_over(&self, text: &str, frame: impl FnOnce() -> Option<Vec<String>>) {
        let mut text = guard(text);
        text.push('\n');
        let mut talk = lock(&self.0.talk);
        if talk.asking {
            talk.waiting.push(text);
            return;
        }
        match &talk.live {
            Some(live) => live.above(&text.replace('\n', "\r\n"), frame().as_deref()),
            None => self.to_stderr(&text),
        }
    }

    /// A warning, to stderr.
    pub fn warn(&self, text: &str) {
        let theme = self.0.term.err_theme();
        self.wrapped(&format!("{} {}", theme.warning("warning:"), theme.literals(text)));
    }

    /// A suggestion, to stderr.
    pub fn hint(&self, text: &str) {
        let theme = self.0.term.err_theme();
        self.wrapped(&format!("{} {}", theme.hint("hint:"), theme.literals(&theme.command(text))));
    }

    /// An error with its causes and suggestions, to stderr.
    pub fn error(&self, what: &str, causes: &[String], hints: &[String]) {
        self.wrapped(&render_error(what, causes, hints, self.0.term.err_theme()));
    }

    fn wrapped(&self, text: &str) {
        self.line(&fitted(text, self.0.term.err_width()).join("\n"));
    }

    /// Lets `f` have the terminal: the live display is gone and lines wait until it is done. `f` gets a function
    /// that writes to stderr without a line break (a prompt).
    pub fn ask<R>(&self, f: impl FnOnce(&dyn Fn(&str)) -> R) -> R {
        let live = {
            let mut talk = lock(&self.0.talk);
            talk.asking = true;
            talk.live.take()
        };
        if let Some(live) = &live {
            live.clear();
        }
        let answer = f(&|text| self.to_stderr(&guard(text)));
        let mut talk = lock(&self.0.talk);
        talk.asking = false;
        for text in std::mem::take(&mut talk.waiting) {
            self.to_stderr(&text);
        }
        answer
    }

    /// Shows these lines in place of the former ones, beginning a live display if there is none.
    pub(super) fn draw(&self, frame: &[String]) {
        let mut talk = lock(&self.0.talk);
        if talk.asking {
            return;
        }
        let inner = Arc::downgrade(&self.0);
        let term = &self.0.term;
        let live = talk.live.get_or_insert_with(|| {
            Live::new(
                term.clone(),
                Arc::new(move |text: &str| {
                    if let Some(inner) = inner.upgrade() {
                        Self(inner).to_stderr(text);
                    }
                }),
            )
        });
        live.draw(frame);
    }

    /// Ends the live display.
    pub(super) fn end_live(&self) {
        if let Some(live) = lock(&self.0.talk).live.take() {
            live.clear();
        }
    }

    fn to_stdout(&self, text: &str) {
        if let Some(memory) = &self.0.memory {
            lock(memory).out.push_str(text);
            return;
        }
        if self.broken() {
            return;
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.0.broken.store(true, Ordering::Relaxed),
            Err(error) => {
                lock(&self.0.failure).get_or_insert(error.to_string());
            }
            Ok(()) => {}
        }
    }

    fn to_stderr(&self, text: &str) {
        match &self.0.memory {
            Some(memory) => lock(memory).err.push_str(text),
            // Nobody is left to be told that stderr is gone.
            None => drop(io::stderr().lock().write_all(text.as_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_and_talk_are_apart_and_guarded() {
        let out = Out::memory(Term::fixed(40, false));
        out.data("{\"a\":1}");
        out.line("foreign \u{1b}[2J text");
        out.warn("the disk is nearly full, 100 MB are left on it");
        out.hint("run `otto doctor`");
        out.error("no project here", &[], &["`otto init` makes one".to_owned()]);
        let (data, talk) = out.taken();
        assert_eq!(data, "{\"a\":1}\n");
        assert_eq!(
            talk,
            "foreign  text\nwarning: the disk is nearly full, 100 MB\n  are left on it\nhint: run `otto doctor`\n\
             error: no project here\n\nhint: `otto init` makes one\n"
        );
    }

    #[test]
    fn lines_wait_while_someone_is_asked() {
        let out = Out::memory(Term::fixed(40, false));
        out.draw(&["total".into()]);
        out.ask(|say| {
            out.line("later");
            out.draw(&["hidden".into()]);
            say("sure? ");
        });
        let (_, talk) = out.taken();
        assert!(talk.ends_with("sure? later\n"), "{talk:?}");
        assert!(!talk.contains("hidden"));
    }
}
