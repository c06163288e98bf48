//! A small Matrix client that uses moceril for all its cryptography. `--help` lists the commands,
//! and the README has a reading order.

mod account;
mod api;
mod arguments;
mod backup;
mod devices;
#[cfg(test)]
mod fake_server;
mod files;
mod identity;
mod json;
mod membership;
mod olm;
mod private;
mod room;
mod room_key;
mod sas;
mod secrets;
mod store;
mod sync;
mod tail;
mod terminal;
mod verify;

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use account::Client;
use anstream::{eprintln, println};
use anyhow::{Context, Result, ensure};
use arguments::{Arguments, Backup, Command};
use clap::{CommandFactory, Parser};
use clap_complete::Shell;
use devices::Device;
use identity::Identity;
use store::Store;
use terminal::{GREEN, RED, YELLOW, coloured, harmless, secret, warn};

fn main() -> ExitCode {
    // What does not parse ends here: nothing was created or sent.
    let arguments = Arguments::parse();
    terminal::explain(arguments.verbose);
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{} {}", coloured(RED, "error:"), harmless(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run(Arguments { store, command, .. }: Arguments) -> Result<()> {
    let directory = || store.clone().map_or_else(store::default_directory, Ok);
    let open = || Client::open(Store::open(&directory()?)?);
    // With what is new on the server.
    let caught_up = || -> Result<Client> {
        let client = open()?;
        sync::once(&client, 0)?;
        Ok(client)
    };
    match command {
        Command::Completions { shell } => completions(shell),
        Command::Login { user, homeserver } => login(&directory()?, &user, homeserver),
        Command::Rooms => rooms(&caught_up()?),
        Command::Create { name, invite } => {
            println!("{}", harmless(&membership::create(&open()?, name.as_deref(), &invite)?));
            Ok(())
        }
        Command::Invite { room, user } => {
            let client = caught_up()?;
            membership::invite(&client, &membership::resolve(&client.store, &room)?, &user)
        }
        Command::Join { room } => {
            println!("{}", harmless(&membership::join(&caught_up()?, &room)?));
            Ok(())
        }
        Command::Send { room, text, verified_only } => {
            let client = caught_up()?;
            let room_id = membership::resolve(&client.store, &room)?;
            room::send(&client, &room_id, &text, verified_only)
        }
        Command::Tail { room, all, once } => {
            let client = caught_up()?;
            let room_id = membership::resolve(&client.store, &room)?;
            tail::run(&client, &room_id, all, once)
        }
        Command::Devices { user } => {
            let client = open()?;
            devices(&client, user.as_deref().unwrap_or(&client.user_id))
        }
        Command::Verify { user: Some(user), device: Some(device), start, .. } => {
            let client = open()?;
            verified(&client, &verify::ask(&client, &user, &device, start)?)
        }
        Command::Verify { .. } => {
            let client = open()?;
            verified(&client, &verify::wait(&client)?)
        }
        Command::Identity => identity::set_up(&open()?, || secret("Password")),
        Command::Export { file } => {
            println!(
                "{} keys written to {}",
                files::export(&open()?.store, &file)?,
                file.display()
            );
            Ok(())
        }
        Command::Import { file } => report(files::import(&open()?.store, &file)?),
        Command::Backup(command) => backup(&open()?, &command),
    }
}

fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "matrix_chat", &mut script);
    Ok(io::stdout().write_all(&script)?)
}

/// Whatever can be wrong without a password is found out before it is asked for.
fn login(directory: &Path, user: &str, homeserver: Option<String>) -> Result<()> {
    Store::vacant(directory)?;
    let homeserver = homeserver.map_or_else(|| api::discover(user), Ok)?;
    api::probe(&homeserver)?;
    let password = secret("Password")?;
    let client = Client::login(Store::create(directory)?, &homeserver, user, &password)?;
    let fingerprint = client.store.account()?.ed25519_key();
    println!("{} on device {}", harmless(&client.user_id), harmless(&client.device_id));
    println!("fingerprint {fingerprint}");
    // The login has succeeded, whatever comes now.
    if let Err(error) = identity::set_up(&client, || Ok(password)) {
        warn(&format!("{error:#}; this device is not signed: `matrix_chat identity` tries again"));
    }
    Ok(())
}

fn rooms(client: &Client) -> Result<()> {
    let sql = "SELECT room_id, coalesce(name, ''), membership, encrypted FROM rooms \
               WHERE membership <> 'leave' ORDER BY name, room_id";
    let mut statement = client.store.db.prepare(sql)?;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    for row in statement.query_map([], row)? {
        let (room_id, name, membership, encrypted): (String, String, String, bool) = row?;
        let state = match (membership.as_str(), encrypted) {
            ("invite", _) => coloured(YELLOW, "invited"),
            (_, true) => coloured(GREEN, "encrypted"),
            (_, false) => coloured(RED, "not encrypted"),
        };
        println!("{} {state} {}", harmless(&room_id), harmless(&name));
    }
    Ok(())
}

fn devices(client: &Client, user_id: &str) -> Result<()> {
    devices::outdated(&client.store, user_id)?;
    devices::refresh(client, &[user_id])?;
    let devices = Device::of_user(&client.store, user_id)?;
    ensure!(!devices.is_empty(), "{user_id} has no device with keys: is this their user id?");
    for device in devices {
        let ours = device.device_id == client.device_id && user_id == client.user_id;
        let mark = match (device.compared, device.signed) {
            _ if ours => "this device".to_owned(),
            (true, _) => "verified by you".to_owned(),
            (false, true) => format!("verified by {}", harmless(user_id)),
            (false, false) => "not verified".to_owned(),
        };
        println!("{} {} {mark}", harmless(&device.device_id), device.keys.ed25519);
    }
    if let Some(Identity { master, verified }) = Identity::of_user(&client.store, user_id)? {
        println!("identity {master} {}", if verified { "verified" } else { "not verified" });
    }
    Ok(())
}

fn backup(client: &Client, command: &Backup) -> Result<()> {
    if matches!(command, Backup::Restore) {
        return report(backup::restore(client)?);
    }
    if matches!(command, Backup::Create) {
        backup::create(client)?;
    }
    println!("{} keys uploaded", backup::upload(client)?);
    Ok(())
}

fn verified(client: &Client, device: &Device) -> Result<()> {
    let Device { user_id, device_id, .. } = device;
    println!("Device {} of {} is verified.", harmless(device_id), harmless(user_id));
    identity::vouch_for(client, device).context("it is verified, and not signed")
}

fn report((gained, total): (usize, usize)) -> Result<()> {
    println!("{total} keys read, {gained} of them new");
    Ok(())
}
