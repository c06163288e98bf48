//! Reads and writes, piece by piece, files of exported keys that need not fit into memory.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::{fmt, mem};

use rand::TryCryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::{
    HEAD_LENGTH, HEADER, Head, KeyExportError, LINE_LENGTH, MIN_ROUNDS, TRAILER, check_rounds,
    put_lines,
    text::{Frame, Letters},
};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::primitives::{
    base64,
    ctr_hmac::{Forged, Opening, Sealing, TAG_LENGTH, Verifying},
    stack::{MEDIUM, SHALLOW, wiped_below},
};

/// How many bytes of the ciphertext are verified and decrypted together, and so are in memory at
/// once.
const SEGMENT: usize = 1 << 16;
/// The number of bytes in a line, three for every four characters.
const LINE_BYTES: usize = LINE_LENGTH / 4 * 3;

/// Splits a file into its head, the segments of its ciphertext, and its MAC.
struct Parts {
    frame: Frame,
    letters: Letters,
    head: Vec<u8>,
    /// The beginning of the next segment, or the end of the last one with the MAC.
    rest: Vec<u8>,
}

impl Parts {
    const fn new() -> Self {
        Self { frame: Frame::new(), letters: Letters::new(), head: Vec::new(), rest: Vec::new() }
    }

    /// Reads the next piece of the file. `segment` gets each segment that is known not to be the
    /// last one, with the head.
    fn read(&mut self, piece: &[u8], mut segment: impl FnMut(&[u8], &mut [u8])) {
        let Self { frame, letters, head, rest } = self;
        let mut bytes = |bytes: &[u8]| sort(head, rest, bytes, &mut segment);
        frame.read(piece, &mut |text| letters.push(text, &mut bytes));
    }

    /// The end of the file: the head, the last segment, and the MAC.
    fn finish(
        mut self,
        mut segment: impl FnMut(&[u8], &mut [u8]),
    ) -> Result<(Head, Vec<u8>, [u8; TAG_LENGTH]), KeyExportError> {
        self.frame.finish()?;
        let (head, rest) = (&mut self.head, &mut self.rest);
        self.letters.finish(&mut |bytes| sort(head, rest, bytes, &mut segment))?;
        let head = Head::read(&self.head)?;
        let (last, tag) = self.rest.split_last_chunk().ok_or(KeyExportError::TooShort)?;
        Ok((head, last.to_vec(), *tag))
    }
}

fn sort(
    head: &mut Vec<u8>,
    rest: &mut Vec<u8>,
    bytes: &[u8],
    segment: &mut impl FnMut(&[u8], &mut [u8]),
) {
    let missing = HEAD_LENGTH.saturating_sub(head.len()).min(bytes.len());
    let (to_head, bytes) = bytes.split_at_checked(missing).unwrap_or_default();
    head.extend(to_head);
    rest.extend(bytes);
    // The last segment is not empty, unless it is the only one.
    let count = rest.len().saturating_sub(TAG_LENGTH).saturating_sub(1) / SEGMENT;
    for next in rest.chunks_exact_mut(SEGMENT).take(count) {
        segment(head, next);
    }
    rest.drain(..count.saturating_mul(SEGMENT));
}

/// Finds out what can be known about a file without its passphrase.
///
/// ```
/// use moceril::key_export::{self, Scanner};
///
/// # let encrypt = key_export::encrypt_weak;
/// let file = encrypt(&String::from("[]").into(), "correct horse battery staple", 1_000)?;
/// let mut scanner = Scanner::new();
/// for piece in file.as_bytes().chunks(100) {
///     scanner.update(piece);
/// }
/// assert_eq!(scanner.finish()?, 1_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Scanner(Parts);

impl Scanner {
    /// Before the first piece.
    #[must_use]
    pub const fn new() -> Self {
        Self(Parts::new())
    }

    /// Reads the next piece of the file.
    pub fn update(&mut self, piece: impl AsRef<[u8]>) {
        self.0.read(piece.as_ref(), |_, _| ());
    }

    /// How many rounds of hashing the passphrase takes. Nothing has verified this number.
    ///
    /// # Errors
    ///
    /// Those of [`KeyExportError`] that need no passphrase; not [`KeyExportError::Rounds`].
    pub fn finish(self) -> Result<u32, KeyExportError> {
        self.0.finish(|_, _| ()).map(|(head, _, _)| head.rounds)
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

/// The first of two passes over a file: verifies it. Nothing in a file may be trusted before its
/// end was authenticated, so a large file is read twice rather than kept in memory.
///
/// Both passes take less than a megabyte of memory, plus 32 bytes for each 64 KiB of the file, and
/// a few bytes for each byte of a piece.
///
/// ```
/// use moceril::key_export::{self, Verifier};
///
/// # let encrypt = key_export::encrypt_weak;
/// let file = encrypt(&String::from("[]").into(), "correct horse battery staple", 1_000)?;
/// let mut verifier = Verifier::new("correct horse battery staple", key_export::MAX_ROUNDS);
/// for piece in file.as_bytes().chunks(100) {
///     verifier.update(piece);
/// }
/// let mut decryptor = verifier.finish()?;
/// let mut json: Vec<u8> = Vec::new();
/// for piece in file.as_bytes().chunks(100) {
///     json.extend(decryptor.update(piece)?);
/// }
/// json.extend(decryptor.finish()?);
/// assert_eq!(json, b"[]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verifier {
    passphrase: Zeroizing<String>,
    max_rounds: u32,
    parts: Parts,
    verifying: Option<Verifying>,
}

impl Verifier {
    /// Before the first piece.
    ///
    /// The file states how many rounds of hashing its passphrase takes, before anything can be
    /// verified: a file with more than `max_rounds` is refused. [`MAX_ROUNDS`](super::MAX_ROUNDS)
    /// is a good limit.
    #[must_use]
    pub fn new(passphrase: &str, max_rounds: u32) -> Self {
        let passphrase = Zeroizing::new(String::from(passphrase));
        Self { passphrase, max_rounds, parts: Parts::new(), verifying: None }
    }

    /// Reads the next piece of the file. [`finish`](Self::finish) reports what is wrong with it.
    pub fn update(&mut self, piece: impl AsRef<[u8]>) {
        let Self { passphrase, max_rounds, parts, verifying } = self;
        let piece = piece.as_ref();
        wiped_below::<MEDIUM, _>(|| {
            parts.read(piece, |head, segment| {
                verify(verifying, head, passphrase, *max_rounds, segment);
            });
        });
    }

    /// Verifies the file. The [`Decryptor`] that this returns needs the file a second time.
    ///
    /// # Errors
    ///
    /// Those of [`decrypt`](super::decrypt), except [`KeyExportError::NotText`].
    pub fn finish(self) -> Result<Decryptor, KeyExportError> {
        wiped_below::<MEDIUM, _>(|| self.finish_below())
    }

    fn finish_below(self) -> Result<Decryptor, KeyExportError> {
        let Self { passphrase, max_rounds, parts, mut verifying } = self;
        let (head, last, tag) = parts.finish(|head, segment| {
            verify(&mut verifying, head, &passphrase, max_rounds, segment);
        })?;
        check_rounds(head.rounds, 1, max_rounds)?;
        let mut verifying = verifying.unwrap_or_else(|| head.verifying(&passphrase));
        verifying.segment(&last);
        let opening = verifying.finish(&tag).map_err(|Forged| KeyExportError::Authentication)?;
        Ok(Decryptor {
            opening,
            parts: Parts::new(),
            json: Zeroizing::new(Vec::new()),
            failed: false,
        })
    }
}

/// Takes a segment, unless the head is wrong, which the end of the first pass reports.
fn verify(
    verifying: &mut Option<Verifying>,
    head: &[u8],
    passphrase: &str,
    max_rounds: u32,
    segment: &[u8],
) {
    if verifying.is_none()
        && let Ok(head) = Head::read(head)
        && check_rounds(head.rounds, 1, max_rounds).is_ok()
    {
        *verifying = Some(head.verifying(passphrase));
    }
    if let Some(verifying) = verifying {
        verifying.segment(segment);
    }
}

/// The second of two passes over a file, which [`Verifier`] has verified: decrypts it. If the
/// encrypted content has changed since then, the changed part is not decrypted.
pub struct Decryptor {
    opening: Box<Opening>,
    parts: Parts,
    /// The plaintext of the last piece.
    json: Zeroizing<Vec<u8>>,
    failed: bool,
}

impl Decryptor {
    /// Reads the next piece of the file. The result is the next part of the JSON, which can be
    /// empty or end within a character.
    ///
    /// # Errors
    ///
    /// [`KeyExportError::Authentication`] if the encrypted content is not that of the file that was
    /// verified; then no later piece is decrypted.
    pub fn update(&mut self, piece: impl AsRef<[u8]>) -> Result<&[u8], KeyExportError> {
        let piece = piece.as_ref();
        let Self { opening, parts, json, failed } = self;
        make_room(json, piece.len());
        wiped_below::<MEDIUM, _>(|| {
            parts.read(piece, |_, segment| open(opening, segment, json, failed));
        });
        self.decrypted()
    }

    /// Returns the last part of the JSON. After this, the decryptor begins again with the first
    /// piece.
    ///
    /// # Errors
    ///
    /// [`KeyExportError::Authentication`] if the encrypted content is not that of the file that was
    /// verified, or a part of it was not read.
    pub fn finish(&mut self) -> Result<&[u8], KeyExportError> {
        wiped_below::<MEDIUM, _>(|| self.finish_below());
        let result = self.decrypted().map(|_| ());
        self.failed = false;
        result.map(|()| self.json.as_slice())
    }

    fn finish_below(&mut self) {
        let parts = mem::replace(&mut self.parts, Parts::new());
        let Self { opening, json, failed, .. } = self;
        make_room(json, 0);
        let last = parts.finish(|_, segment| open(opening, segment, json, failed));
        match last {
            Ok((_, mut last, _)) => open(opening, &mut last, json, failed),
            Err(_) => *failed = true,
        }
        *failed |= !opening.is_at_end();
        opening.restart();
    }

    fn decrypted(&mut self) -> Result<&[u8], KeyExportError> {
        if self.failed {
            self.json.zeroize();
            return Err(KeyExportError::Authentication);
        }
        Ok(&self.json)
    }
}

/// Decrypts a segment, unless one before it has failed.
fn open(opening: &mut Opening, segment: &mut [u8], json: &mut Vec<u8>, failed: &mut bool) {
    if *failed {
        return;
    }
    match opening.open(segment) {
        Ok(plaintext) => json.extend_from_slice(plaintext),
        Err(Forged) => *failed = true,
    }
    segment.zeroize();
}

/// Empties the buffer, and makes room for the plaintext of a piece of this length and of what waits
/// from earlier pieces, less than two segments. It must not grow later, which would leave a copy
/// behind.
fn make_room(buffer: &mut Zeroizing<Vec<u8>>, piece: usize) {
    buffer.as_mut_slice().zeroize();
    buffer.clear();
    let length = piece.saturating_add(SEGMENT.saturating_mul(2));
    if buffer.capacity() < length {
        **buffer = Vec::with_capacity(length);
    }
}

/// Encrypts a JSON text as a file, piece by piece. The result is that of
/// [`encrypt`](super::encrypt).
///
/// ```
/// use moceril::key_export::{self, Encryptor};
///
/// # let rounds = key_export::MIN_ROUNDS; // so that the documentation is tested in reasonable time
/// # let _ = key_export::DEFAULT_ROUNDS;
/// let mut encryptor = Encryptor::new("correct horse battery staple", rounds)?;
/// let mut file = encryptor.update("[");
/// file += &encryptor.update("]");
/// file += &encryptor.finish();
/// assert!(key_export::decrypt(&file, "correct horse battery staple", rounds).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Encryptor {
    sealing: Box<Sealing>,
    /// The bytes that do not fill a line yet.
    line: Vec<u8>,
    /// The text that was not returned yet.
    text: String,
}

impl Encryptor {
    /// Before the first piece.
    ///
    /// # Errors
    ///
    /// [`KeyExportError::EmptyPassphrase`]; [`KeyExportError::Rounds`] for less than
    /// [`MIN_ROUNDS`]; [`KeyExportError::Random`].
    #[cfg(feature = "std")]
    pub fn new(passphrase: &str, rounds: u32) -> Result<Self, KeyExportError> {
        Self::with_rng(passphrase, rounds, &mut rng::system())
    }

    /// Like `new`, but with the caller's source of randomness, which gives 16 bytes for the salt,
    /// then 16 for the IV.
    ///
    /// # Errors
    ///
    /// See `new`.
    pub fn with_rng<R: TryCryptoRng + ?Sized>(
        passphrase: &str,
        rounds: u32,
        rng: &mut R,
    ) -> Result<Self, KeyExportError> {
        if passphrase.is_empty() {
            return Err(KeyExportError::EmptyPassphrase);
        }
        check_rounds(rounds, MIN_ROUNDS, u32::MAX)?;
        Self::weak_with_rng(passphrase, rounds, rng)
    }

    pub(super) fn weak_with_rng<R: TryCryptoRng + ?Sized>(
        passphrase: &str,
        rounds: u32,
        rng: &mut R,
    ) -> Result<Self, KeyExportError> {
        let head = Head::draw(rounds, rng)?;
        let bytes = head.to_bytes();
        let sealing = wiped_below::<SHALLOW, _>(|| {
            Box::new(Sealing::new(&head.keys(passphrase), &head.iv, &bytes))
        });
        Ok(Self { sealing, line: bytes, text: String::from(HEADER) })
    }

    /// Encrypts the next piece of the JSON, and returns the next part of the file.
    pub fn update(&mut self, json: impl AsRef<[u8]>) -> String {
        let mut piece = Zeroizing::new(json.as_ref().to_vec());
        wiped_below::<SHALLOW, _>(|| self.sealing.seal(&mut piece));
        self.line.extend(piece.iter());
        let whole = self.line.len().saturating_sub(self.line.len() % LINE_BYTES);
        let lines: Vec<_> = self.line.drain(..whole).collect();
        put_lines(&mut self.text, &base64::encode(&lines));
        mem::take(&mut self.text)
    }

    /// Returns the end of the file.
    #[must_use]
    pub fn finish(self) -> String {
        let Self { sealing, mut line, mut text } = self;
        line.extend(wiped_below::<SHALLOW, _>(|| sealing.tag()));
        put_lines(&mut text, &base64::encode_padded(&line));
        text.push('\n');
        text.push_str(TRAILER);
        text.push('\n');
        text
    }
}

macro_rules! opaque {
    ($($name:ident),+) => {$(
        /// Prints nothing: the object holds a key, or what a key protects.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

opaque!(Scanner, Verifier, Decryptor, Encryptor);
