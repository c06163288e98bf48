//! The machine and the date of a run, which are needed to compare reports.

use std::{
    env, fs,
    path::Path,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// Of the instruction sets that the primitives have code for, those that the machine has.
fn instruction_sets() -> String {
    let mut found: Vec<&str> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        let sets = [
            ("AES-NI", is_x86_feature_detected!("aes")),
            ("SHA-NI", is_x86_feature_detected!("sha")),
            ("AVX2", is_x86_feature_detected!("avx2")),
            ("AVX-512 IFMA", is_x86_feature_detected!("avx512ifma")),
        ];
        found.extend(sets.iter().filter(|(_, there)| *there).map(|(name, _)| name));
    }
    #[cfg(target_arch = "aarch64")]
    {
        let sets = [
            ("AES", std::arch::is_aarch64_feature_detected!("aes")),
            ("SHA2", std::arch::is_aarch64_feature_detected!("sha2")),
        ];
        found.extend(sets.iter().filter(|(_, there)| *there).map(|(name, _)| name));
    }
    if found.is_empty() { "none of them".into() } else { found.join(", ") }
}

/// Lines of a table: what, and its value.
pub fn description(date: Option<String>, command: &str) -> Vec<(&'static str, String)> {
    let olm = olm_rs::get_library_version();
    vec![
        ("processor", format!("{}, {} cores", processor(), cores())),
        ("instruction sets", instruction_sets()),
        ("load when it began", load()),
        ("date", date.unwrap_or_else(today)),
        ("compiler", output("rustc", &["-V"])),
        ("command", format!("`{command}`")),
        ("moceril", output("git", &["describe", "--always", "--dirty"])),
        ("vodozemac", vodozemac::VERSION.into()),
        ("libolm", format!("{}.{}.{}", olm.major, olm.minor, olm.patch)),
    ]
}

/// The command that repeats this run.
pub fn command(arguments: &[String]) -> String {
    let mut command = String::new();
    if let Ok(flags) = env::var("RUSTFLAGS") {
        command += &format!("RUSTFLAGS=\"{flags}\" ");
    }
    command += "cargo bench --bench compare --features peers";
    if !arguments.is_empty() {
        command += " -- ";
        command += &arguments.join(" ");
    }
    command
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| env::consts::ARCH.into(), |(_, model)| model.trim().into())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The mean number of running processes in the last minute, where the system tells: what else there
/// was to do.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").into()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(program).args(arguments).current_dir(home).output();
    let text = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    text.and_then(|text| String::from_utf8(text).ok())
        .map_or_else(|| "unknown".into(), |text| text.trim().into())
}

/// In UTC.
fn today() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = date(now.as_secs() / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The date so many days after 1970-01-01.
fn date(mut days: u64) -> (u64, usize, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= months[month] {
        days -= months[month];
        month += 1;
    }
    (year, month + 1, days + 1)
}
