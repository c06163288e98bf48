//! A small Matrix client that uses moceril for all its cryptography. `--help` lists the commands,
//! and the README has a reading order.

mod account;
mod api;
mod backup;
mod devices;
mod files;
mod json;
mod membership;
mod olm;
mod private;
mod room;
mod room_key;
mod sas;
mod store;
mod sync;
mod tail;
mod terminal;
mod verify;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use account::Client;
use anyhow::{Result, bail};
use devices::Device;
use lexopt::{Arg, Parser, ValueExt};
use store::Store;
use terminal::{coloured, harmless, secret};

const HELP: &str = "\
Chat on Matrix, end-to-end encrypted.

Usage: matrix_chat [--store DIR] COMMAND

  login @YOU:SERVER [--homeserver URL]   log in with your password, as a new device
  rooms                                  list your rooms and invitations
  create [NAME] [--invite @USER:SERVER]  create an encrypted room
  invite ROOM @USER:SERVER               invite somebody
  join ROOM                              accept an invitation, or join by #alias:server
  send ROOM TEXT [--verified-only]       send a message to everybody in the room
                                         (or only to devices that you have verified)
  tail ROOM [--all] [--once]             show new messages (or all that were seen) as
                                         they come (or only those that are there now)
  devices [@USER:SERVER]                 list the devices of somebody, or your own
  verify @USER:SERVER DEVICE [--start]   compare emoji with somebody (--start: for clients
                                         that do not answer requests)
  verify --wait                          wait for somebody who wants to compare emoji
  export FILE                            write the keys of your messages to a file
  import FILE                            read them on another device
  backup create | upload | restore       keep these keys on the server, encrypted

ROOM is a room's id, or its name. Passwords, passphrases and the recovery key are asked for; if
standard input is not a terminal, each of them is a line of it.

--store DIR is where keys and messages are kept, by default ~/.local/share/matrix_chat. One store is
one device: use two for two accounts, and never copy one, for then messages would be encrypted with
the same keys twice.
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("matrix_chat: {}", harmless(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

/// The command line: words in order, options anywhere.
#[derive(Default)]
struct Arguments {
    words: Vec<String>,
    store: Option<PathBuf>,
    homeserver: Option<String>,
    invited: Vec<String>,
    flags: Vec<String>,
}

impl Arguments {
    /// `None` if help was asked for.
    fn parse() -> Result<Option<Self>> {
        let mut arguments = Self::default();
        let mut parser = Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                Arg::Long("store") => arguments.store = Some(parser.value()?.into()),
                Arg::Long("homeserver") => arguments.homeserver = Some(parser.value()?.string()?),
                Arg::Long("invite") => arguments.invited.push(parser.value()?.string()?),
                Arg::Long(flag @ ("all" | "once" | "wait" | "start" | "verified-only")) => {
                    arguments.flags.push(flag.to_owned());
                }
                Arg::Value(word) => arguments.words.push(word.string()?),
                other => bail!(other.unexpected()),
            }
        }
        Ok(Some(arguments))
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }
}

fn run() -> Result<()> {
    let Some(arguments) = Arguments::parse()? else {
        print!("{HELP}");
        return Ok(());
    };
    let words: Vec<&str> = arguments.words.iter().map(String::as_str).collect();
    let [command, rest @ ..] = words.as_slice() else { bail!("no command: see --help") };
    let directory = arguments.store.clone().map_or_else(store::default_directory, Ok)?;
    if *command == "login" {
        let [user] = rest else { bail!("login needs one user id: see --help") };
        return login(&directory, user, arguments.homeserver.as_deref());
    }
    let client = Client::open(Store::open(&directory)?)?;
    match (*command, rest) {
        ("rooms", []) => rooms(&client),
        ("create", []) => create(&client, None, &arguments.invited),
        ("create", [name]) => create(&client, Some(name), &arguments.invited),
        ("invite", [room, user]) => {
            sync::once(&client, 0)?;
            membership::invite(&client, &membership::resolve(&client.store, room)?, user)
        }
        ("join", [room]) => {
            sync::once(&client, 0)?;
            println!("{}", membership::join(&client, room)?);
            Ok(())
        }
        ("send", [room, text]) => {
            sync::once(&client, 0)?;
            let room_id = membership::resolve(&client.store, room)?;
            room::send(&client, &room_id, text, arguments.has("verified-only"))
        }
        ("tail", [room]) => {
            sync::once(&client, 0)?;
            let room_id = membership::resolve(&client.store, room)?;
            tail::run(&client, &room_id, arguments.has("all"), arguments.has("once"))
        }
        ("devices", []) => devices(&client, &client.user_id),
        ("devices", [user]) => devices(&client, user),
        ("verify", [user, device]) => {
            verified(&verify::ask(&client, user, device, arguments.has("start"))?)
        }
        ("verify", []) if arguments.has("wait") => verified(&verify::wait(&client)?),
        ("export", [path]) => {
            let count = files::export(&client.store, path.as_ref())?;
            println!("{count} keys written to {path}");
            Ok(())
        }
        ("import", [path]) => report(files::import(&client.store, path.as_ref())?),
        ("backup", ["create"]) => {
            println!("The recovery key of your backup. Write it down; it is not stored here:\n");
            println!("  {}\n", &*backup::create(&client)?);
            println!("{} keys uploaded", backup::upload(&client)?);
            Ok(())
        }
        ("backup", ["upload"]) => {
            println!("{} keys uploaded", backup::upload(&client)?);
            Ok(())
        }
        ("backup", ["restore"]) => report(backup::restore(&client)?),
        (command, _) => bail!("{command:?} is not a command, or lacks something: see --help"),
    }
}

/// Whatever can be wrong without a password is found out before it is asked for.
fn login(directory: &Path, user: &str, homeserver: Option<&str>) -> Result<()> {
    Store::vacant(directory)?;
    let homeserver = homeserver.map_or_else(|| api::discover(user), api::address)?;
    api::probe(&homeserver)?;
    let password = secret("Password")?;
    let client = Client::login(Store::create(directory)?, &homeserver, user, &password)?;
    let fingerprint = client.store.account()?.ed25519_key();
    println!("{} on device {}", client.user_id, client.device_id);
    println!("fingerprint {fingerprint}");
    Ok(())
}

fn rooms(client: &Client) -> Result<()> {
    sync::once(client, 0)?;
    let sql = "SELECT room_id, coalesce(name, ''), membership, encrypted FROM rooms \
               WHERE membership <> 'leave' ORDER BY name, room_id";
    let mut statement = client.store.db.prepare(sql)?;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    for row in statement.query_map([], row)? {
        let (room_id, name, membership, encrypted): (String, String, String, bool) = row?;
        let state = match (membership.as_str(), encrypted) {
            ("invite", _) => coloured(33, "invited"),
            (_, true) => coloured(32, "encrypted"),
            (_, false) => coloured(31, "not encrypted"),
        };
        println!("{} {state} {}", harmless(&room_id), harmless(&name));
    }
    Ok(())
}

fn create(client: &Client, name: Option<&str>, invited: &[String]) -> Result<()> {
    let room_id = membership::create(client, name, invited)?;
    println!("{room_id}");
    Ok(())
}

fn devices(client: &Client, user_id: &str) -> Result<()> {
    devices::outdated(&client.store, user_id)?;
    devices::refresh(client, &[user_id])?;
    for device in Device::of_user(&client.store, user_id)? {
        let mark = match device.verified {
            _ if device.device_id == client.device_id && user_id == client.user_id => "this device",
            true => "verified",
            false => "not verified",
        };
        println!("{} {} {mark}", harmless(&device.device_id), device.keys.ed25519);
    }
    Ok(())
}

fn verified(device: &Device) -> Result<()> {
    let Device { user_id, device_id, .. } = device;
    println!("Device {} of {} is verified.", harmless(device_id), harmless(user_id));
    Ok(())
}

fn report((gained, total): (usize, usize)) -> Result<()> {
    println!("{total} keys read, {gained} of them new");
    Ok(())
}
