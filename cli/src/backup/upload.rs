//! `moceril backup create --homeserver`: keys go into the backup of an account.

use std::collections::HashMap;

use clap::Args;
use moceril::{
    Ed25519SecretKey,
    backup::{BackupDecryptionKey, BackupEncryptionKey},
    backup_file::{self, BackedUpKey, BackupRank, BackupReader, BackupVersion},
    megolm::InboundGroupSession,
    room_keys::ExportedRoomKey,
};

use super::{
    create::{self, ToBackup},
    homeserver::{Account, Homeserver},
    key::{BackupKey, NAME},
};
use crate::{
    failure::{Code, Failure, Result, chain},
    keys::{load::Refusals, merged::Merged},
    report::{Report, counted},
};

/// How many keys are in one request, which then has about 200 kB: most servers accept 1 MB.
const PIECE: usize = 200;
/// The name under which secret storage has the private master key.
const MASTER: &str = "m.cross_signing.master";

#[derive(Args, Debug)]
pub struct ToServer {
    #[command(flatten)]
    pub(super) account: Account,
    /// Make a new backup in place of the account's current one, with the key in the secret storage
    #[arg(long, requires = "homeserver")]
    new_version: bool,
    /// Say what would be done, and change nothing on the server
    #[arg(long, requires = "homeserver")]
    dry_run: bool,
}

/// The backup into which the keys go.
struct Target {
    version: BackupVersion,
    key: BackupDecryptionKey,
    /// The server does not have it yet.
    is_new: bool,
}

pub fn run(args: &ToBackup, to: &ToServer, server: &Homeserver, json: bool) -> Result<()> {
    args.is_for_server()?;
    let user = server.user_id()?;
    let mut target = match server.current_version()? {
        Some(version) if !to.new_version => {
            let data = || server.account_data(&user, &[NAME]);
            let key = args.key.read_for(&version, data)?;
            Target { version, key, is_new: false }
        }
        _ => new_version(&args.key, server, &user)?,
    };
    let mut refusals = Refusals::default();
    let (mut file, merged) = create::merged(args, &mut refusals)?;
    if merged.is_empty() {
        return Err(Failure::input("there is no key to back up").at(&file.name));
    }
    if target.is_new && !to.dry_run {
        target.version.version = Some(server.make_version(&target.version)?);
    }
    let mut upload = Upload::new(server, &target, &merged, to.dry_run);
    let done = merged.each(std::slice::from_mut(&mut file), |key| upload.add(&key, &mut refusals));
    done.and_then(|()| upload.send()).map_err(|failure| {
        let sent = upload.sent;
        let again = if to.new_version { "without --new-version" } else { "again" };
        let sent = counted(sent, "key", "keys");
        failure.hint(format_args!(
            "run the same command {again}: it continues after the {sent} uploaded so far"
        ))
    })?;
    let number = target.version.version.as_deref().unwrap_or("not made yet");
    let report = Report::new(if to.dry_run { "would be backed up" } else { "backed up" });
    report
        .with("version", number)
        .with("new", target.is_new)
        .with("public key", target.key.public_key().to_base64())
        .with("keys read", merged.read)
        .with("already there", upload.there)
        .with(if to.dry_run { "to upload" } else { "uploaded" }, upload.new)
        .with_some("keys there now", upload.count)
        .print(json)?;
    refusals.report()
}

/// A backup with the key that is in the secret storage, so that clients have its key, signed with
/// the master key, so that they trust it.
fn new_version(key: &BackupKey, server: &Homeserver, user: &str) -> Result<Target> {
    let unsigned = |failure: Failure| match failure.code {
        Code::File => failure,
        _ => failure.at("a new backup has to be signed with the master key").hint(
            "make the backup with a client that is signed in, and then run this command again",
        ),
    };
    let data = key.account_data()?;
    let data = data.map_or_else(|| server.account_data(user, &[NAME, MASTER]), Ok);
    let data = data.map_err(unsigned)?;
    let storage = key.storage(&data)?;
    let key = storage.backup_key().map_err(unsigned)?;
    let master = storage.secret(MASTER).map_err(unsigned)?;
    let master = Ed25519SecretKey::from_base64(master.trim())
        .map_err(|error| Failure::input(chain(&error)).at(MASTER))?;
    if server.master_key(user)? != master.public_key() {
        return Err(Failure::key("the secret storage has another master key than the account"));
    }
    let mut version = BackupVersion::new(key.public_key());
    let name = master.public_key().to_base64();
    version.sign(user, &name, &master).map_err(|error| Failure::input(chain(&error)))?;
    Ok(Target { version, key, is_new: true })
}

struct Upload<'a> {
    server: &'a Homeserver,
    target: &'a Target,
    to: BackupEncryptionKey,
    merged: &'a Merged,
    dry_run: bool,
    /// The server's keys of the sessions in the file, by room and session.
    known: HashMap<String, HashMap<String, BackupRank>>,
    piece: Vec<BackedUpKey>,
    /// How many keys the server already had, and how many it did not.
    there: u64,
    new: u64,
    /// How many keys the server has received.
    sent: u64,
    /// How many keys the server says that the backup has.
    count: Option<u64>,
}

impl<'a> Upload<'a> {
    fn new(server: &'a Homeserver, target: &'a Target, merged: &'a Merged, dry_run: bool) -> Self {
        Self {
            server,
            target,
            to: target.key.encryption_key(),
            merged,
            dry_run,
            known: HashMap::new(),
            piece: Vec::with_capacity(PIECE),
            there: 0,
            new: 0,
            sent: 0,
            count: None,
        }
    }

    fn number(&self) -> &'a str {
        self.target.version.version.as_deref().unwrap_or_default()
    }

    /// Uploads a key, unless the server has a better one.
    fn add(&mut self, key: &ExportedRoomKey, refusals: &mut Refusals) -> Result<()> {
        match self.rank_there(key)? {
            Some(rank) if rank <= backup_file::rank_of(key) => {
                self.there += 1;
                return Ok(());
            }
            Some(_) if !self.belongs_together(key)? => {
                let id = key.session_key.session_id();
                let why = "the server has a key that contradicts it, which stays";
                refusals.sort::<()>(Err(format!("session {id}: {why}")));
                return Ok(());
            }
            _ => self.new += 1,
        }
        if self.dry_run {
            return Ok(());
        }
        self.piece.push(create::encrypted(key, &self.to)?);
        if self.piece.len() == PIECE { self.send() } else { Ok(()) }
    }

    /// The rank of the key that the server has of this session.
    fn rank_there(&mut self, key: &ExportedRoomKey) -> Result<Option<BackupRank>> {
        if self.target.is_new {
            return Ok(None);
        }
        if !self.known.contains_key(&key.room_id) {
            let json = self.server.backed_up_room(self.number(), &key.room_id)?;
            let reader = BackupReader::of_room(&json, key.room_id.clone());
            let reader =
                reader.map_err(|error| Failure::input(chain(&error)).at(self.server.name()))?;
            let entries = reader.filter_map(std::result::Result::ok);
            let entries = entries.filter(|entry| self.merged.has(&entry.session_id));
            let ranks = entries.map(|entry| (entry.session_id.clone(), entry.rank())).collect();
            self.known.insert(key.room_id.clone(), ranks);
        }
        let room = self.known.get(&key.room_id);
        Ok(room.and_then(|room| room.get(&key.session_key.session_id()).copied()))
    }

    /// Whether the server's key is a later one of the same session. If it does not decrypt, it is
    /// of no use.
    fn belongs_together(&self, key: &ExportedRoomKey) -> Result<bool> {
        let id = key.session_key.session_id();
        let json = self.server.backed_up_key(self.number(), &key.room_id, &id)?;
        let entry = BackedUpKey::from_json(&json, key.room_id.clone(), id);
        let theirs = entry.ok().and_then(|entry| entry.decrypt(&self.target.key).ok());
        Ok(theirs.is_none_or(|theirs| {
            let [ours, theirs] =
                [&key.session_key, &theirs.session_key].map(InboundGroupSession::import);
            ours.connected(&theirs)
        }))
    }

    /// Uploads the keys that were collected.
    fn send(&mut self) -> Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let body = backup_file::write(&self.piece);
        self.count = self.server.put_keys(self.number(), &body)?;
        self.sent += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }
}
