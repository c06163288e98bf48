//! Which of the three formats a pickle has, what it holds, and why it does not open.

use crate::{
    failure::{Code, Failure, Result},
    inspect::{json, text},
    pickle::object::{AnyKey, Format, Refused},
    report::Report,
};

/// What a text is, as far as it can be known without its key; `None` if it is JSON and not a
/// pickle.
pub fn without_key(pickle: &str) -> Result<Option<Report>> {
    if pickle.starts_with(['{', '[']) {
        return Ok(json::pickle(pickle));
    }
    Ok(Some(form(pickle)?.with("needs", "its key: --pickle-key SOURCE")))
}

/// The form of an encrypted pickle, or why the text cannot be one.
fn form(pickle: &str) -> Result<Report> {
    if let Ok(report) = text::native_pickle(pickle) {
        return Ok(report);
    }
    if let Some((place, character)) = text::outside_base64(pickle) {
        return Err(Failure::input(format_args!(
            "this is not a pickle: byte {place} is {character:?}"
        ))
        .hint("give the text of the pickle alone, which is base64"));
    }
    if let Some(length) = text::ciphertext_length(pickle) {
        return Ok(Report::new("pickle of libolm or vodozemac (encrypted)")
            .with("bytes", length)
            .with("holds", "an account or a session; only the key shows which"));
    }
    let length = pickle.trim_end_matches('=').len() * 3 / 4;
    Err(Failure::input(format_args!(
        "the pickle is incomplete: its {length} bytes are not blocks of 16 bytes and 8 more bytes"
    ))
    .hint("copy the pickle again: it is cut off, or something follows it"))
}

/// Opens a pickle, and says what it holds or why it does not open.
pub fn with_key(pickle: &str, key: &AnyKey, json: bool) -> Result<()> {
    let refusals = match key.open(pickle) {
        Ok((object, format)) => {
            let report = object.report().with("format", format!("{format:?}").to_lowercase());
            return report.with("opens", true).print(json);
        }
        Err(refusals) => refusals,
    };
    let (why, helps) = reason(pickle, &refusals);
    let form = form(pickle);
    let ours = form.as_ref().ok().map(|form| form.kind.contains("moceril"));
    let of_form = |refused: &&Refused| {
        ours.is_some_and(|ours| {
            ours == matches!(refused.format, Format::Native | Format::Passphrase)
        })
    };
    let tried: Vec<_> = refusals.iter().filter(of_form).map(ToString::to_string).collect();
    let report = form.unwrap_or_else(|failure| Report::new(failure.what()));
    let report = report.with("tried as", tried).with("what helps", helps);
    report.problem(format!("it does not open: {why}")).print(json)?;
    Err(Failure::finding("the pickle does not open: see above"))
}

/// Why no format takes the pickle, and what would help.
fn reason(pickle: &str, refusals: &[Refused]) -> (&'static str, &'static [&'static str]) {
    let form = form(pickle);
    let has_key = |format| {
        let refused = refusals.iter().find(|refused| refused.format == format);
        refused.is_some_and(|refused| refused.failure.code != Code::Key)
    };
    let is_ours = form.as_ref().is_ok_and(|form| form.kind.contains("moceril"));
    let is_decrypted = match (is_ours, pickle.contains(".argon2id.")) {
        (true, false) => has_key(Format::Native),
        (true, true) => has_key(Format::Passphrase),
        // Both have the same encryption: what one can decrypt, so can the other.
        (false, _) => has_key(Format::Libolm) || has_key(Format::Vodozemac),
    };
    match &form {
        Err(_) => ("it is incomplete", &["the pickle again from where it is stored"]),
        Ok(_) if is_decrypted => (
            "the key is right, but the content cannot be used",
            &[
                "the release of the library that wrote it, if that is very old or new",
                "an earlier copy, if the client was interrupted while it wrote the pickle",
            ],
        ),
        Ok(_) if is_ours => (
            "wrong key or context, or altered",
            &[
                "the key and the context with which it was written: --pickle-key, --context",
                "the whole pickle: one that is cut off is refused like a wrong key",
            ],
        ),
        Ok(_) => (
            "wrong key, or altered",
            &[
                "the key in the client's configuration, which is DEFAULT_KEY in matrix-nio",
                "for a pickle of matrix-nio 0.26 or later, the SHA-256 of that key, as 32 bytes",
                "the pickle again from where it is stored: altered and cut off look the same",
            ],
        ),
    }
}

#[cfg(test)]
mod tests {
    use moceril::{PickleKey, olm::Account};

    use super::*;
    use crate::{input::Input, secrets::Secret};

    /// What to say about a pickle that does not open with this key.
    fn why(pickle: &str, key: &[u8]) -> &'static str {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, key).unwrap();
        let key = AnyKey::read(Some(&Secret::File(path)), "").unwrap();
        reason(pickle, &key.open(pickle).err().expect("it does not open")).0
    }

    /// The vectors have pickles of versions that no library writes.
    #[test]
    fn a_wrong_key_another_version_and_a_cut_pickle_are_told_apart() {
        let vector = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../test-vectors/libolm-account-pickle/version-00000005.txt"
        );
        let text = Input::File(vector.into()).text().unwrap();
        let value = |name| text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let pickle = value("pickle: ");
        let key = b"pickle key";
        let version = "the key is right, but the content cannot be used";
        assert_eq!(why(pickle, key), version);
        assert_eq!(why(pickle, b"another"), "wrong key, or altered");
        assert_eq!(why(&pickle[..40], key), "it is incomplete");
        let native =
            Account::new().unwrap().pickle(&PickleKey::from_bytes([1; 32]), "place").unwrap();
        for key in [[1; 32], [2; 32]] {
            assert_eq!(why(&native, &key), "wrong key or context, or altered");
        }
    }
}
