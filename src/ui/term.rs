//! What stands behind stdin, stdout and stderr: decided once, per stream, from flags, environment and the streams
//! themselves. The terminal is never asked anything (no cursor reports, no OSC): a reply would land in the input.
//!
//! Colour, first that says something: `--color`, `NO_COLOR`, `FORCE_COLOR`/`CLICOLOR_FORCE`, `TERM=dumb`, a terminal.

use rustix::termios::{isatty, tcgetwinsize};

use super::theme::Theme;

/// What `--color` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// The environment and the terminal decide.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The environment variables that matter here, unset as `None`.
#[derive(Clone, Debug, Default)]
pub struct TermVars {
    /// `NO_COLOR`
    pub no_color: Option<String>,
    /// `FORCE_COLOR`, else `CLICOLOR_FORCE`
    pub force_color: Option<String>,
    /// `TERM`
    pub term: Option<String>,
    /// `CI`
    pub ci: Option<String>,
    /// `COLUMNS`
    pub columns: Option<String>,
    /// `OTTO_NO_PROGRESS`
    pub no_progress: Option<String>,
}

impl TermVars {
    /// Fills all of them from a look-up such as the process environment.
    pub fn read(look_up: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            no_color: look_up("NO_COLOR"),
            force_color: look_up("FORCE_COLOR").or_else(|| look_up("CLICOLOR_FORCE")),
            term: look_up("TERM"),
            ci: look_up("CI"),
            columns: look_up("COLUMNS"),
            no_progress: look_up("OTTO_NO_PROGRESS"),
        }
    }
}

/// The streams of this process as far as the screen cares.
#[derive(Clone, Debug)]
pub struct Term {
    /// stdin is a terminal.
    pub stdin_tty: bool,
    /// stdout is a terminal.
    pub stdout_tty: bool,
    /// stderr is a terminal.
    pub stderr_tty: bool,
    /// A CI system runs this: nobody answers, nothing moves.
    pub ci: bool,
    out_theme: Theme,
    err_theme: Theme,
    live: bool,
    columns: Option<usize>,
    fixed: Option<usize>,
}

/// The width where none is known.
const DEFAULT_WIDTH: usize = 80;
/// Narrower than this nothing is laid out.
const MIN_WIDTH: usize = 20;

impl Term {
    /// Looks at the three streams.
    pub fn detect(flags: Color, no_progress: bool, vars: &TermVars) -> Self {
        let ttys = (isatty(std::io::stdin()), isatty(std::io::stdout()), isatty(std::io::stderr()));
        Self::from_parts(flags, no_progress, vars, ttys)
    }

    /// The decision itself, for streams that are terminals or not: `(stdin, stdout, stderr)`.
    fn from_parts(flags: Color, no_progress: bool, vars: &TermVars, ttys: (bool, bool, bool)) -> Self {
        let dumb = vars.term.as_deref() == Some("dumb");
        let ci = is_on(vars.ci.as_deref());
        let colour = |tty: bool| match flags {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if vars.no_color.as_deref().is_some_and(|v| !v.is_empty()) => false,
            Color::Auto if is_on(vars.force_color.as_deref()) => true,
            Color::Auto => tty && !dumb,
        };
        Self {
            stdin_tty: ttys.0,
            stdout_tty: ttys.1,
            stderr_tty: ttys.2,
            ci,
            out_theme: Theme { colour: colour(ttys.1), ..Theme::PLAIN },
            err_theme: Theme { colour: colour(ttys.2), ..Theme::PLAIN },
            live: ttys.2 && !dumb && !ci && !no_progress && !is_on(vars.no_progress.as_deref()),
            columns: vars.columns.as_deref().and_then(|c| c.trim().parse().ok()).filter(|c| *c > 0),
            fixed: None,
        }
    }

    /// A made-up terminal of this width, for tests and for rendering into a text.
    pub fn fixed(width: usize, colour: bool) -> Self {
        let theme = Theme { colour, ..Theme::PLAIN };
        Self {
            stdin_tty: false,
            stdout_tty: true,
            stderr_tty: true,
            ci: false,
            out_theme: theme,
            err_theme: theme,
            live: false,
            columns: None,
            fixed: Some(width),
        }
    }

    /// Suggestions begin with this in place of `otto`: it is not on everybody's PATH.
    pub fn named(mut self, program: &'static str) -> Self {
        (self.out_theme.program, self.err_theme.program) = (program, program);
        self
    }

    /// As if lines could be redrawn in place.
    #[cfg(test)]
    pub(super) fn with_live(self) -> Self {
        Self { live: true, ..self }
    }

    /// Lines on stderr may be redrawn in place.
    pub fn can_live(&self) -> bool {
        self.live
    }

    /// Colours of stdout.
    pub fn out_theme(&self) -> Theme {
        self.out_theme
    }

    /// Colours of stderr.
    pub fn err_theme(&self) -> Theme {
        self.err_theme
    }

    /// How wide a table on stdout may be; `None` off a terminal: nothing is cut there.
    pub fn out_width(&self) -> Option<usize> {
        self.stdout_tty.then(|| self.columns.or_else(|| self.real(&std::io::stdout())).unwrap_or(DEFAULT_WIDTH))
    }

    /// How wide lines on stderr may be, read anew each time; `None` off a terminal.
    pub fn err_width(&self) -> Option<usize> {
        self.stderr_tty.then(|| self.columns.or_else(|| self.real(&std::io::stderr())).unwrap_or(DEFAULT_WIDTH))
    }

    /// The width of the redrawn part: never wider than the terminal is, whatever `COLUMNS` says, because a line that
    /// wraps cannot be redrawn in place.
    pub fn live_width(&self) -> usize {
        let real = self.real(&std::io::stderr()).unwrap_or(DEFAULT_WIDTH);
        self.columns.map_or(real, |c| c.min(real)).max(MIN_WIDTH)
    }

    /// Rows of the terminal behind stderr.
    pub fn live_height(&self) -> usize {
        let rows = tcgetwinsize(std::io::stderr()).ok().map(|size| usize::from(size.ws_row));
        rows.filter(|rows| *rows > 0).unwrap_or(24)
    }

    fn real<Fd: std::os::fd::AsFd>(&self, stream: &Fd) -> Option<usize> {
        if self.fixed.is_some() {
            return self.fixed;
        }
        tcgetwinsize(stream).ok().map(|size| usize::from(size.ws_col)).filter(|width| *width > 0)
    }
}

/// Set, and not to a word for no.
fn is_on(value: Option<&str>) -> bool {
    value.is_some_and(|v| !matches!(v.trim().to_ascii_lowercase().as_str(), "" | "0" | "false" | "no" | "off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn colours(flags: Color, vars: &TermVars, tty: bool) -> bool {
        Term::from_parts(flags, false, vars, (tty, tty, tty)).out_theme().colour
    }

    #[test]
    fn the_flag_beats_no_color_beats_force_beats_dumb_beats_the_terminal() {
        let all = TermVars { no_color: some("1"), force_color: some("1"), term: some("dumb"), ..TermVars::default() };
        assert!(colours(Color::Always, &all, false));
        assert!(!colours(Color::Auto, &all, true));
        let forced = TermVars { no_color: some(""), ..all.clone() };
        assert!(colours(Color::Auto, &forced, false));
        let zero = TermVars { force_color: some("0"), ..forced };
        assert!(!colours(Color::Auto, &zero, true));
        assert!(colours(Color::Auto, &TermVars::default(), true));
        assert!(!colours(Color::Auto, &TermVars::default(), false));
        assert!(!colours(Color::Never, &TermVars { force_color: some("1"), ..TermVars::default() }, true));
    }

    #[test]
    fn each_stream_decides_for_itself() {
        let term = Term::from_parts(Color::Auto, false, &TermVars::default(), (true, false, true));
        assert!(!term.out_theme().colour && term.err_theme().colour && term.can_live());
        assert_eq!(term.out_width(), None);
    }

    #[test]
    fn nothing_moves_in_ci_on_dumb_terminals_or_when_told_so() {
        let live =
            |vars: &TermVars, flag: bool| Term::from_parts(Color::Auto, flag, vars, (true, true, true)).can_live();
        assert!(live(&TermVars::default(), false));
        assert!(!live(&TermVars::default(), true));
        for vars in [
            TermVars { ci: some("true"), ..TermVars::default() },
            TermVars { term: some("dumb"), ..TermVars::default() },
            TermVars { no_progress: some("1"), ..TermVars::default() },
        ] {
            assert!(!live(&vars, false));
        }
        assert!(live(&TermVars { ci: some("false"), ..TermVars::default() }, false));
    }

    #[test]
    fn columns_is_respected_and_rubbish_in_it_is_not() {
        let wide = |columns: &str| {
            let vars = TermVars { columns: some(columns), ..TermVars::default() };
            Term { fixed: Some(100), ..Term::from_parts(Color::Auto, false, &vars, (true, true, true)) }
        };
        assert_eq!(wide("140").out_width(), Some(140));
        assert_eq!(wide("140").live_width(), 100);
        assert_eq!(wide("0").out_width(), Some(100));
        assert_eq!(wide("many").out_width(), Some(100));
    }
}
