//! Output to the terminal, in colour if it is one, and questions to the user.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use tracing::{Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use zeroize::Zeroizing;

pub const RED: Style = AnsiColor::Red.on_default();
pub const GREEN: Style = AnsiColor::Green.on_default();
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
pub const DIM: Style = Style::new().dimmed();

/// Colours a text. `anstream` takes the colour away where it does not belong: if the output is no
/// terminal, and if `NO_COLOR` is set.
pub fn coloured(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// What others wrote must not control our terminal, nor appear in another order than it has.
pub fn harmless(text: &str) -> String {
    let shown = |c: char| {
        // These change the direction of the text after them, and are no control characters.
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if turns || c.is_control() && c != '\t' { '\u{fffd}' } else { c }
    };
    text.chars().map(shown).collect()
}

/// Something that the user should know, and that is no output.
pub fn warn(text: &str) {
    anstream::eprintln!("{} {}", coloured(YELLOW, "warning:"), harmless(text));
}

/// Shows what the code tells about its work: nothing, with `-v` why a message was not decrypted,
/// with `-vv` also the requests. Texts of others are fields, of which control characters are
/// escaped.
pub fn explain(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    let coloured = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    tracing::subscriber::set_global_default(subscriber(level, coloured, io::stderr))
        .expect("it is set here, once");
}

fn subscriber<W>(level: Level, coloured: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(writer)
        .with_ansi(coloured)
        .with_target(false)
        .without_time()
        .finish()
}

/// Asks for a secret, without echo. A program may answer on standard input.
pub fn secret(question: &str) -> Result<Zeroizing<String>> {
    if io::stdin().is_terminal() {
        return Ok(Zeroizing::new(rpassword::prompt_password(format!("{question}: "))?));
    }
    line()
}

/// Asks a question that only "yes" answers with yes.
pub fn confirm(question: &str) -> Result<bool> {
    print!("{} [yes/no] ", harmless(question));
    io::stdout().flush()?;
    Ok(line()?.eq_ignore_ascii_case("yes"))
}

fn line() -> Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    let ended = io::stdin().read_line(&mut line)? == 0;
    ensure!(!ended, "standard input ended before there was an answer: give one line for each");
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}

/// A bar on standard error, if that is a terminal. It goes away when it is dropped.
pub fn progress(total: usize) -> ProgressBar {
    with_template(ProgressBar::new(total as u64), "[{bar:30}] {pos}/{len}")
}

/// Shows on standard error, if that is a terminal, that something takes time.
pub fn waiting(what: &'static str) -> ProgressBar {
    let spinner = with_template(ProgressBar::new_spinner(), "{spinner} {msg} ...");
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner.with_message(what)
}

fn with_template(bar: ProgressBar, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the templates above are valid");
    bar.with_style(style.progress_chars("=> ")).with_finish(ProgressFinish::AndClear)
}

/// What `-vv` shows while this is done.
#[cfg(test)]
pub fn explained(work: impl FnOnce()) -> String {
    use std::sync::{Arc, LazyLock, Mutex};

    use tracing::Dispatch;

    // While there is one subscriber, the thread that is the first to reach a place in the code
    // decides whether it is of interest: for all threads, and so that the work tells nothing if
    // another test, without a subscriber, came first. With several, all of them are asked.
    static OTHERS: LazyLock<[Dispatch; 2]> =
        LazyLock::new(|| [(); 2].map(|()| subscriber(Level::DEBUG, false, io::sink).into()));
    LazyLock::force(&OTHERS);

    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let written = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&written);
    let writer = move || Buffer(Arc::clone(&shared));
    tracing::subscriber::with_default(subscriber(Level::DEBUG, false, writer), work);
    String::from_utf8(written.lock().unwrap().clone()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_does_not_steer_the_terminal() {
        assert_eq!(harmless("a\x1b[31mb\rc\nd\te"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d\te");
        assert_eq!(
            harmless("\u{2029}\u{202a}\u{202e}\u{202f}\u{2065}\u{2066}\u{2069}\u{206a}"),
            "\u{2029}\u{fffd}\u{fffd}\u{202f}\u{2065}\u{fffd}\u{fffd}\u{206a}"
        );
    }

    #[test]
    fn colours_are_those_that_the_recording_knows() {
        assert_eq!(coloured(GREEN, "x"), "\x1b[32mx\x1b[0m");
        assert_eq!(coloured(DIM, "x"), "\x1b[2mx\x1b[0m");
    }

    #[test]
    fn progress_is_counted_and_templates_are_valid() {
        let bar = progress(2);
        bar.inc(1);
        assert_eq!((bar.position(), bar.length()), (1, Some(2)));
        assert!(!waiting("Testing").is_finished());
    }
}
