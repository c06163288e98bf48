//! Dumps of PostgreSQL databases, as `pg_dump` writes them: the rows of a table follow a `COPY`,
//! one a line. Spec: PostgreSQL's manual, "COPY", "Text Format", and "bytea Hex Format".

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::database::{MAUTRIX, Place};
use crate::failure::{Failure, Result};

/// The beginning of the first comment in a dump.
const TITLE: &[u8] = b"PostgreSQL database dump";
/// How a field of the type `bytea` begins. The backslash is escaped.
const HEX: &str = r"\\x";
const NULL: &str = r"\N";

/// A dump of mautrix-python's database.
pub struct Dump {
    path: PathBuf,
}

/// The table of the rows that are being read.
struct Table {
    /// Its columns with pickles: which of `MAUTRIX`, the field of the pickle, and that of the id.
    pickles: Vec<(usize, usize, Option<usize>)>,
}

impl Table {
    /// The table that a line begins, if it begins one.
    fn begun_by(line: &str) -> Option<Self> {
        let (table, columns) = line.strip_prefix("COPY ")?.split_once(" (")?;
        let columns = columns.strip_suffix(") FROM stdin;")?;
        let unquoted = |name: &str| name.trim_matches('"').to_owned();
        let table = unquoted(table.rsplit('.').next()?);
        let columns: Vec<_> = columns.split(", ").map(unquoted).collect();
        let field = |name: &str| columns.iter().position(|column| column == name);
        let known = MAUTRIX.iter().enumerate().filter(|(_, known)| known.table == table);
        let pickles = known.filter_map(|(number, known)| {
            Some((number, field(known.pickle)?, known.id.and_then(field)))
        });
        Some(Self { pickles: pickles.collect() })
    }
}

impl Dump {
    /// The dump, if the file is one.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let mut beginning = Vec::new();
        File::open(path)
            .and_then(|file| file.take(1_024).read_to_end(&mut beginning))
            .map_err(|error| failed(path, &error))?;
        let is_dump = beginning.starts_with(b"--")
            && beginning.windows(TITLE.len()).any(|part| part == TITLE);
        Ok(is_dump.then(|| Self { path: path.into() }))
    }

    /// Writes the dump with what `change` makes of each pickle; where it makes nothing, the pickle
    /// stays.
    pub fn rewrite(
        &self,
        out: &mut dyn Write,
        mut change: impl FnMut(&Place<'_>, &str) -> Result<Option<String>>,
    ) -> Result<()> {
        let file = File::open(&self.path).map_err(|error| failed(&self.path, &error))?;
        let (mut lines, mut line) = (BufReader::new(file), Zeroizing::new(String::new()));
        let (mut table, mut tables, mut number) = (None, 0_usize, 0);
        loop {
            line.clear();
            let read = lines.read_line(&mut line).map_err(|error| failed(&self.path, &error))?;
            if read == 0 {
                break;
            }
            number += 1;
            let text = line.trim_end_matches(['\n', '\r']);
            match &table {
                Some(_) if text == r"\." => table = None,
                Some(Table { pickles }) => {
                    if let Some(new) = row(text, pickles, number, &mut change)? {
                        writeln!(out, "{}", &*new)?;
                        continue;
                    }
                }
                None => {
                    table = Table::begun_by(text);
                    tables += table.as_ref().map_or(0, |table| table.pickles.len());
                }
            }
            out.write_all(line.as_bytes())?;
        }
        if table.is_some() {
            return Err(Failure::input("the dump is cut off within a table").at(self.name()));
        }
        if tables == 0 {
            return Err(Failure::input("the dump has no tables of mautrix-python")
                .at(self.name())
                .hint("dump the bridge's database by pg_dump as text, without --inserts"));
        }
        Ok(())
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::file(format_args!("{}: {error}", path.display()))
}

/// A row with other pickles; `None` if nothing in it changes.
fn row(
    line: &str,
    pickles: &[(usize, usize, Option<usize>)],
    number: i64,
    change: &mut impl FnMut(&Place<'_>, &str) -> Result<Option<String>>,
) -> Result<Option<Zeroizing<String>>> {
    let mut fields: Vec<_> = line.split('\t').map(|field| Zeroizing::new(field.into())).collect();
    let mut is_changed = false;
    for (column, field, id) in pickles {
        let id = id.and_then(|id| fields.get(id)).map(|id: &Zeroizing<String>| id.to_string());
        let place = Place::new(&MAUTRIX[*column], id, number);
        let Some(field) = fields.get_mut(*field).filter(|field| field.as_str() != NULL) else {
            continue;
        };
        let new = match field.strip_prefix(HEX) {
            Some(hex) => {
                let pickle = unhex(hex).ok_or_else(|| {
                    Failure::input(format_args!("line {number}: a field is not a bytea"))
                })?;
                change(&place, &pickle)?.map(|new| HEX.to_owned() + &hex_of(&new))
            }
            // A pickle is base64, which needs no escapes.
            None => change(&place, field)?,
        };
        if let Some(new) = new {
            **field = new;
            is_changed = true;
        }
    }
    let joined = || {
        let fields: Vec<_> = fields.iter().map(|field| field.as_str()).collect();
        Zeroizing::new(fields.join("\t"))
    };
    Ok(is_changed.then(joined))
}

fn unhex(hex: &str) -> Option<Zeroizing<String>> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Option<Vec<u8>> = pairs.collect();
    String::from_utf8(bytes?).ok().map(Zeroizing::new)
}

fn hex_of(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = r#"--
-- PostgreSQL database dump
--
COPY public.portal (mxid, account) FROM stdin;
a	\\x61
\.
COPY public.crypto_olm_session (account_id, session_id, session, last) FROM stdin;
me	one	\\x6f6e65	1
me	two	\N	2
\.
COPY "public"."crypto_account" ("account_id", "account") FROM stdin;
me	\\x6d65
\.
-- \\x6d65
"#;

    fn rewritten(dump: &str) -> Result<(String, Vec<String>)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dump.sql");
        std::fs::write(&path, dump).unwrap();
        let dump = Dump::open(&path)?.expect("a dump");
        let (mut out, mut seen) = (Vec::new(), Vec::new());
        dump.rewrite(&mut out, |place, pickle| {
            seen.push(format!("{} {:?} {pickle}", place.kind().name(), place.session_id()));
            Ok((pickle == "one").then(|| "new".into()))
        })?;
        Ok((String::from_utf8(out).unwrap(), seen))
    }

    #[test]
    fn only_the_pickles_change() {
        let (new, seen) = rewritten(DUMP).unwrap();
        assert_eq!(seen, ["Olm session Some(\"one\") one", "account None me"]);
        assert_eq!(new, DUMP.replace("6f6e65", "6e6577"));
    }

    #[test]
    fn what_is_no_whole_dump_is_refused() {
        let refused = |dump: &str| rewritten(dump).unwrap_err().to_string();
        let cut = &DUMP[..DUMP.rfind("\\.").unwrap()];
        assert!(refused(cut).contains("cut off"));
        assert!(refused(&DUMP.replace("crypto_", "other_")).contains("has no tables"));
        assert!(refused(&DUMP.replace("6f6e65", "6f6e6")).contains("line 8: a field"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, "-- another text").unwrap();
        assert!(Dump::open(&path).unwrap().is_none());
    }
}
