//! The part of the terminal that is redrawn in place. indicatif draws; what it draws comes from `frame`.
//!
//! It draws through a [`Pen`] rather than straight to stderr, for three reasons: a redraw is one write, so nothing
//! flickers; a terminal that went away is no error (the run goes on, see the stop ladder); and lines end with a line
//! break instead of spaces up to the margin, so that a resized window does not wrap them.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::term::Term;

/// Where finished bytes go.
pub(super) type Write = Arc<dyn Fn(&str) + Send + Sync>;

/// The redrawn lines.
pub(super) struct Live {
    all: MultiProgress,
    lines: ProgressBar,
    pen: Arc<Pen>,
}

impl Live {
    /// Nothing is drawn yet.
    pub(super) fn new(term: Term, write: Write) -> Self {
        let pen = Arc::new(Pen { term, write, state: Mutex::default() });
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(Handle(Arc::clone(&pen))), 10);
        let all = MultiProgress::with_draw_target(target);
        let lines = all.add(ProgressBar::new_spinner());
        lines.set_style(ProgressStyle::with_template("{msg}").expect("a template without options is valid"));
        Self { all, lines, pen }
    }

    /// Shows these lines in place of the former ones.
    pub(super) fn draw(&self, frame: &[String]) {
        self.lines.set_message(frame.join("\n"));
    }

    /// Writes whole lines above the redrawn ones, which may change with them, in one go.
    pub(super) fn above(&self, text: &str, frame: Option<&[String]>) {
        self.pen.held(true);
        if let Some(frame) = frame {
            self.draw(frame);
        }
        self.all.suspend(|| self.pen.put(text));
        self.pen.held(false);
    }

    /// Takes the redrawn lines away while something else writes to the terminal.
    pub(super) fn aside<R>(&self, f: impl FnOnce() -> R) -> R {
        self.all.suspend(f)
    }

    /// Takes the redrawn lines away for good.
    pub(super) fn clear(&self) {
        self.lines.finish_and_clear();
    }
}

#[derive(Default)]
struct PenState {
    buffer: String,
    /// A line was written and not ended: the next one ends it, a cursor movement does not need it ended.
    open: bool,
    held: bool,
}

/// Collects what indicatif draws, hands it over in one piece.
struct Pen {
    term: Term,
    write: Write,
    state: Mutex<PenState>,
}

impl Pen {
    fn with(&self, f: impl FnOnce(&mut PenState)) -> io::Result<()> {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    fn put(&self, text: &str) {
        let _ = self.with(|state| state.buffer.push_str(text));
    }

    /// While held, a flush only collects.
    fn held(&self, held: bool) {
        let _ = self.with(|state| state.held = held);
        if !held {
            self.send();
        }
    }

    fn send(&self) {
        let mut ready = String::new();
        let _ = self.with(|state| {
            if !state.held {
                ready = std::mem::take(&mut state.buffer);
            }
        });
        if !ready.is_empty() {
            (self.write)(&ready);
        }
    }

    fn movement(&self, n: usize, code: char) -> io::Result<()> {
        self.with(|state| {
            state.open = false;
            if n > 0 {
                state.buffer.push_str(&format!("\u{1b}[{n}{code}"));
            }
        })
    }
}

struct Handle(Arc<Pen>);

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pen")
    }
}

impl TermLike for Handle {
    fn width(&self) -> u16 {
        u16::try_from(self.0.term.live_width()).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        u16::try_from(self.0.term.live_height()).unwrap_or(u16::MAX)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.movement(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.movement(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.movement(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.movement(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.0.with(|state| state.buffer.push_str("\r\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.with(|state| {
            // indicatif fills each line with spaces up to the margin and lets the terminal wrap.
            if text.chars().all(|c| c == ' ') {
                state.buffer.push_str("\u{1b}[K");
                state.open = true;
                return;
            }
            if std::mem::take(&mut state.open) {
                state.buffer.push_str("\r\n");
            }
            state.buffer.push_str(text);
        })
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.with(|state| {
            state.open = false;
            state.buffer.push_str("\r\u{1b}[2K");
        })
    }

    fn flush(&self) -> io::Result<()> {
        self.0.send();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_above_the_frame_in_one_write() {
        let writes: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&writes);
        let live = Live::new(
            Term::fixed(40, false),
            Arc::new(move |text: &str| seen.lock().expect("no panic").push(text.to_owned())),
        );
        live.draw(&["one".into(), "total".into()]);
        live.above("ok  done\n", None);
        live.clear();
        let writes = writes.lock().expect("no panic").clone();
        assert_eq!(writes[0], "one\u{1b}[K\r\ntotal\u{1b}[K");
        assert!(writes[1].contains("\r\u{1b}[2Kok  done\n") || writes[1].contains("ok  done\none"), "{writes:?}");
        assert!(writes[1].ends_with("one\u{1b}[K\r\ntotal\u{1b}[K"), "{writes:?}");
        assert!(!writes[2].contains("total"), "{writes:?}");
        assert_eq!(writes.len(), 3);
    }
}
