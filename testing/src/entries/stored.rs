//! What is read back from a store: pickles of all formats, and dehydrated devices.

use moceril::{
    DehydratedDevice, DehydratedDeviceError, LibolmPickleError, MessageVersion, PickleError,
    PickleKey,
    megolm::{GroupSession, InboundGroupSession, ReplayGuard},
    olm::{Account, Session},
};

use super::{BytesEntry, Entry, TextEntry, layer, verdict};
use crate::{
    dehydrated_content,
    fixtures::{Devices, State, group, pickle_key},
    libolm_pickle,
    pickle_editor::OpenPickle,
    pickled::Pickled,
    rng::SeededRng,
};

layer!(PickleError, LibolmPickleError, DehydratedDeviceError);

/// One object of each kind.
struct Objects {
    account: Account,
    session: Session,
    group_session: GroupSession,
    inbound: InboundGroupSession,
}

impl Objects {
    fn new() -> Self {
        let version = MessageVersion::V3;
        let mut devices = Devices::new(35);
        let (session, _) = devices.sessions(version);
        let (group_session, inbound) = group(version, 35);
        Self { account: devices.bob, session, group_session, inbound }
    }
}

const LIBOLM_KEY: &[u8] = libolm_pickle::KEY;

fn dehydration_key() -> PickleKey {
    PickleKey::from_bytes(dehydrated_content::KEY)
}

fn dehydrated(account: &Account) -> DehydratedDevice {
    account.dehydrate_with_rng(&dehydration_key(), &mut SeededRng::new(36)).unwrap()
}

pub fn text_entries() -> Vec<TextEntry> {
    let Objects { account, session, group_session, inbound } = Objects::new();
    let mut entries = Vec::new();
    macro_rules! pickles {
        ($($object:ident $type:ident),+) => {$(
            entries.push(Entry::new(
                concat!(stringify!($type), "::from_pickle"),
                State::snapshot(&$object),
                |text: &str| verdict($type::from_pickle(text, &pickle_key(), b"snapshot")),
            ));
            entries.push(Entry::new(
                concat!(stringify!($type), "::from_libolm_pickle"),
                $object.to_libolm_pickle_lossy(LIBOLM_KEY).unwrap().0,
                |text: &str| verdict($type::from_libolm_pickle(text, LIBOLM_KEY)),
            ));
        )+};
    }
    pickles!(
        account Account,
        session Session,
        group_session GroupSession,
        inbound InboundGroupSession
    );
    let guard = ReplayGuard::new(&inbound);
    let pickle = guard.pickle_with_rng(&pickle_key(), b"", &mut SeededRng::new(38)).unwrap();
    entries.push(Entry::new("ReplayGuard::from_pickle", pickle, move |text: &str| {
        verdict(ReplayGuard::from_pickle(text, &pickle_key(), b"", &inbound))
    }));
    let DehydratedDevice { ciphertext, nonce } = dehydrated(&account);
    let (around, around_nonce) = (nonce.clone(), ciphertext.clone());
    entries.push(Entry::new("DehydratedDevice::ciphertext", ciphertext, move |text: &str| {
        let device = DehydratedDevice { ciphertext: text.to_owned(), nonce: around.clone() };
        verdict(Account::rehydrate(&device, &dehydration_key()))
    }));
    entries.push(Entry::new("DehydratedDevice::nonce", nonce, move |text: &str| {
        let device = DehydratedDevice { ciphertext: around_nonce.clone(), nonce: text.to_owned() };
        verdict(Account::rehydrate(&device, &dehydration_key()))
    }));
    vodozemac::add_texts(&mut entries);
    passphrase::add_texts(&account, &mut entries);
    entries.push(backup::text_entry());
    entries
}

/// The states within the pickles are bytes here: whoever has the key can seal any.
pub fn bytes_entries() -> Vec<BytesEntry> {
    let Objects { account, session, group_session, inbound } = Objects::new();
    let mut entries = Vec::new();
    macro_rules! states {
        ($($object:ident $type:ident),+) => {$(
            let open = OpenPickle::open(&Pickled::snapshot(&$object));
            let genuine = open.state.clone();
            entries.push(Entry::new(
                concat!(stringify!($type), ", the state in a pickle"),
                genuine,
                move |state: &[u8]| {
                    let pickle = OpenPickle { state: state.to_vec(), ..open };
                    verdict(<$type as Pickled>::restore(&pickle.seal()))
                },
            ));
            let pickle = $object.to_libolm_pickle_lossy(LIBOLM_KEY).unwrap().0;
            entries.push(Entry::new(
                concat!(stringify!($type), ", the state in a libolm pickle"),
                libolm_pickle::open(&pickle, LIBOLM_KEY),
                |state: &[u8]| {
                    let pickle = libolm_pickle::seal(state, LIBOLM_KEY);
                    verdict($type::from_libolm_pickle(&pickle, LIBOLM_KEY))
                },
            ));
            entries.push(Entry::new(
                concat!(stringify!($type), "::from_libolm_content"),
                libolm_pickle::open(&pickle, LIBOLM_KEY),
                |content: &[u8]| {
                    drop($type::from_own_libolm_content(content));
                    verdict($type::from_libolm_content(content))
                },
            ));
        )+};
    }
    states!(
        account Account,
        session Session,
        group_session GroupSession,
        inbound InboundGroupSession
    );
    entries.push(dehydrated_content(&account));
    entries.push(backup::bytes_entry());
    vodozemac::add_json(&mut entries);
    passphrase::add_bytes(&account, &mut entries);
    entries
}

/// What is sealed in a dehydrated device.
fn dehydrated_content(account: &Account) -> BytesEntry {
    let content = dehydrated_content::open(&dehydrated(account));
    Entry::new("the content of a dehydrated device", content, |content: &[u8]| {
        verdict(Account::rehydrate(&dehydrated_content::seal(content), &dehydration_key()))
    })
}

mod backup {
    use moceril::backup::BackupDecryptionKey;

    use super::{BytesEntry, Entry, LIBOLM_KEY, TextEntry, libolm_pickle, verdict};

    fn pickle() -> String {
        BackupDecryptionKey::from_bytes([7; 32]).to_libolm_pickle(LIBOLM_KEY)
    }

    pub fn text_entry() -> TextEntry {
        Entry::new("BackupDecryptionKey::from_libolm_pickle", pickle(), |text: &str| {
            verdict(BackupDecryptionKey::from_libolm_pickle(text, LIBOLM_KEY))
        })
    }

    pub fn bytes_entry() -> BytesEntry {
        let genuine = libolm_pickle::open(&pickle(), LIBOLM_KEY);
        Entry::new("BackupDecryptionKey, in a libolm pickle", genuine, |content: &[u8]| {
            let pickle = libolm_pickle::seal(content, LIBOLM_KEY);
            verdict(BackupDecryptionKey::from_libolm_pickle(&pickle, LIBOLM_KEY))
        })
    }
}

mod vodozemac {
    use moceril::vodozemac::VodozemacPickleError;

    use super::{
        Account, BytesEntry, Entry, GroupSession, InboundGroupSession, Objects, Session, TextEntry,
        layer, verdict,
    };
    use crate::{
        entries::{Layer, Verdict},
        vodozemac_pickle::{KEY, Refusal, ViaVodozemac},
    };

    layer!(VodozemacPickleError);

    impl Layer for Refusal {
        fn layer(self) -> Verdict {
            Verdict::RefusedSomewhere
        }
    }

    macro_rules! for_each_object {
        ($entries:ident, $entry:ident) => {
            let Objects { account, session, group_session, inbound } = Objects::new();
            $entries.push($entry!(account Account));
            $entries.push($entry!(session Session));
            $entries.push($entry!(group_session GroupSession));
            $entries.push($entry!(inbound InboundGroupSession));
        };
    }

    pub fn add_texts(entries: &mut Vec<TextEntry>) {
        macro_rules! entry {
            ($object:ident $type:ident) => {
                Entry::new(
                    concat!(stringify!($type), ", vodozemac's pickle"),
                    $object.to_encrypted(&KEY),
                    |text: &str| verdict($type::from_encrypted(text, &KEY)),
                )
            };
        }
        for_each_object!(entries, entry);
    }

    pub fn add_json(entries: &mut Vec<BytesEntry>) {
        macro_rules! entry {
            ($object:ident $type:ident) => {
                Entry::new(
                    concat!(stringify!($type), ", vodozemac's JSON"),
                    $object.to_json().unwrap().to_string(),
                    |json: &[u8]| verdict($type::from_json_text(&String::from_utf8_lossy(json))),
                )
            };
        }
        for_each_object!(entries, entry);
    }
}

mod passphrase {
    use moceril::{PassphraseCost, PassphraseKey};

    use super::{Account, BytesEntry, Entry, SeededRng, TextEntry, verdict};
    use crate::entries::somewhere;

    const COST: PassphraseCost = PassphraseCost { memory_kib: 8, passes: 1, lanes: 1 };

    fn key() -> PassphraseKey {
        PassphraseKey::weak_with_rng("passphrase", COST, &mut SeededRng::new(37)).unwrap()
    }

    pub fn add_texts(account: &Account, entries: &mut Vec<TextEntry>) {
        let (key, pickle) = (key(), account.pickle_with_passphrase(&key(), b"").unwrap());
        let (header, native) = pickle.rsplit_once('.').unwrap();
        let (before, commitment) = header.rsplit_once('.').unwrap();
        let (costs, salt) = before.rsplit_once('.').unwrap();
        let [header, before, costs] = [header, before, costs].map(str::to_owned);
        let after = format!("{commitment}.");
        entries.push(Entry::new("the pickle under a passphrase", native, move |text: &str| {
            let pickle = format!("{header}.{text}");
            verdict(Account::from_passphrase_pickle(&pickle, &key, b""))
        }));
        let derives =
            |pickle: &str| somewhere(PassphraseKey::for_pickle(pickle, "passphrase", COST).is_ok());
        let entry = Entry::new("PassphraseKey::for_pickle, the salt", salt, move |text: &str| {
            derives(&format!("{costs}.{text}.{after}"))
        });
        entries.push(Entry { one_text: true, ..entry });
        let entry = Entry::new(
            "PassphraseKey::for_pickle, the commitment",
            commitment,
            move |text: &str| derives(&format!("{before}.{text}.")),
        );
        entries.push(Entry { one_text: true, ..entry });
    }

    pub fn add_bytes(account: &Account, entries: &mut Vec<BytesEntry>) {
        let pickle = account.pickle_with_passphrase(&key(), b"").unwrap();
        entries.push(Entry::new("PassphraseKey::for_pickle", pickle, |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            somewhere(PassphraseKey::for_pickle(&text, "passphrase", COST).is_ok())
        }));
    }
}
