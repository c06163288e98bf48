//! The info strings of a verification: the texts that the key derivations bind.

use alloc::{format, string::String, vec::Vec};

use super::EstablishedSas;

/// A device that takes part in a verification.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// Its user, such as `@alice:example.org`.
    pub user_id: &'a str,
    /// Its device id.
    pub device_id: &'a str,
}

/// Makes the info strings of a verification, which bind its result to the users, the devices, the
/// keys and the transaction. Both devices make the same strings, each from its own point of view.
///
/// Spec: Matrix, "SAS HKDF calculation" and "MAC calculation", for the key agreement protocol
/// `curve25519-hkdf-sha256`.
///
/// ```
/// use moceril::sas::{InfoStrings, MacMethod, Party, Sas};
///
/// let (alice, bob) = (Sas::new()?, Sas::new()?);
/// let (alice_key, bob_key) = (alice.public_key(), bob.public_key());
/// let (alice, bob) = (alice.diffie_hellman(bob_key)?, bob.diffie_hellman(alice_key)?);
///
/// let phone = Party { user_id: "@alice:example.org", device_id: "PHONE" };
/// let laptop = Party { user_id: "@bob:example.org", device_id: "LAPTOP" };
/// let id = "S0meUniqueAndOpaqueString";
/// let of_alice = InfoStrings { us: phone, them: laptop, we_started: true, transaction_id: id };
/// let of_bob = InfoStrings { us: laptop, them: phone, we_started: false, transaction_id: id };
///
/// let emoji = alice.bytes(of_alice.sas(&alice)).emoji();
/// assert_eq!(bob.bytes(of_bob.sas(&bob)).emoji(), emoji);
///
/// let key_id = "ed25519:PHONE";
/// let mac = alice.calculate_mac(MacMethod::default(), "her key", of_alice.our_mac(key_id));
/// bob.verify_mac(MacMethod::default(), "her key", of_bob.their_mac(key_id), &mac)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InfoStrings<'a> {
    /// This device.
    pub us: Party<'a>,
    /// The other device.
    pub them: Party<'a>,
    /// Whether the start event that counts is ours. If both devices sent one, it is that of the
    /// smaller user id, or of the smaller device id if the users are the same.
    pub we_started: bool,
    /// The transaction id of the verification; in a room, the event id of the request.
    pub transaction_id: &'a str,
}

impl InfoStrings<'_> {
    /// What stands in place of a key id for the MAC of the [list of key ids](key_ids).
    pub const KEY_IDS: &'static str = "KEY_IDS";

    /// The info of the short authentication string, for [`EstablishedSas::bytes`].
    #[must_use]
    pub fn sas(&self, sas: &EstablishedSas) -> String {
        let end =
            |party: &Party<'_>, key: String| format!("{}|{}|{key}", party.user_id, party.device_id);
        let ours = end(&self.us, sas.our_public_key.to_base64());
        let theirs = end(&self.them, sas.their_public_key.to_base64());
        let (starter, other) = if self.we_started { (ours, theirs) } else { (theirs, ours) };
        format!("MATRIX_KEY_VERIFICATION_SAS|{starter}|{other}|{}", self.transaction_id)
    }

    /// The info of a MAC that this device sends: of the key with this id, or of the list of ids
    /// with [`KEY_IDS`](Self::KEY_IDS).
    #[must_use]
    pub fn our_mac(&self, key_id: &str) -> String {
        self.mac(&self.us, &self.them, key_id)
    }

    /// The same for a MAC that the other device has sent.
    #[must_use]
    pub fn their_mac(&self, key_id: &str) -> String {
        self.mac(&self.them, &self.us, key_id)
    }

    fn mac(&self, from: &Party<'_>, to: &Party<'_>, key_id: &str) -> String {
        let parts = [
            "MATRIX_KEY_VERIFICATION_MAC",
            from.user_id,
            from.device_id,
            to.user_id,
            to.device_id,
            self.transaction_id,
            key_id,
        ];
        parts.concat()
    }
}

/// The list of key ids of which a MAC is sent, so that nobody can add or remove a key: sorted, with
/// commas between them. Whoever verifies it takes the names of the members of `mac`.
///
/// ```
/// let ids = ["ed25519:PHONE", "ed25519:A+master+key"];
/// assert_eq!(moceril::sas::key_ids(ids), "ed25519:A+master+key,ed25519:PHONE");
/// ```
#[must_use]
pub fn key_ids<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.join(",")
}
