//! `user`: adds people, sets their passwords, lists them.

use std::io::{self, Read};

use anyhow::Context;
use clap::{Args, Subcommand};
use plenary_shared::domain::{Gender, Role, User};
use plenary_shared::limits::PASSWORD_BYTES_MAX;
use serde::Serialize;

use super::output;
use crate::ctx::Ctx;
use crate::service::account::{self, NewPerson};

/// Bytes of randomness in a password that we make.
const PASSWORD_RANDOM_BYTES: usize = 16;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Adds a person
    Add(Add),
    /// Gives a person a new password
    Passwd(Passwd),
    /// Lists everybody
    List {
        /// Prints one JSON object a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
pub(super) struct Add {
    /// What they are called
    #[arg(long)]
    name: String,
    /// Their address, with which they sign in
    #[arg(long)]
    email: String,
    /// In years
    #[arg(long)]
    age: Option<u32>,
    /// male, female or other
    #[arg(long)]
    gender: Option<Gender>,
    /// Lets them see every meeting and steer it
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    password: PasswordFlags,
}

#[derive(Args, Debug)]
pub(super) struct Passwd {
    /// Their address
    email: String,
    #[command(flatten)]
    password: PasswordFlags,
}

#[derive(Args, Debug)]
struct PasswordFlags {
    /// Reads the password from standard input; otherwise one is made and printed
    #[arg(long)]
    password_stdin: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

/// A person, and their password if we made it.
#[derive(Serialize)]
struct WithPassword<'a> {
    #[serde(flatten)]
    user: &'a User,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

pub(super) async fn run(ctx: &Ctx, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(asked) => add(ctx, asked).await,
        Command::Passwd(asked) => passwd(ctx, asked).await,
        Command::List { json } => list(ctx, json).await,
    }
}

async fn add(ctx: &Ctx, asked: Add) -> anyhow::Result<()> {
    let password = Password::choose(ctx, &asked.password)?;
    let new = NewPerson {
        name: asked.name,
        email: asked.email,
        age: asked.age,
        gender: asked.gender,
        role: if asked.admin {
            Role::Admin
        } else {
            Role::Member
        },
    };
    let user = account::add_user(ctx, new, password.text()).await?;
    password.tell(&asked.password, &user, "was added")
}

async fn passwd(ctx: &Ctx, asked: Passwd) -> anyhow::Result<()> {
    let password = Password::choose(ctx, &asked.password)?;
    let user = account::set_password(ctx, &asked.email, password.text()).await?;
    password.tell(&asked.password, &user, "has a new password")
}

async fn list(ctx: &Ctx, json: bool) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = account::list(ctx, after).await?;
        for user in &page {
            if json {
                output::json(user)?;
            } else {
                let age = user
                    .age
                    .map_or_else(|| "-".to_owned(), |age| age.to_string());
                let gender = user.gender.map_or("-", Gender::as_str);
                output::line(&format!(
                    "{:>6}  {:<6}  {:>3}  {:<6}  {:<32}  {}",
                    user.id, user.role, age, gender, user.email, user.name
                ))?;
            }
        }
        after = page.last().map(|user| user.id);
        if page.len() < account::LIST_PAGE {
            return Ok(());
        }
    }
}

/// A password, and whether its owner knows it already.
enum Password {
    Given(String),
    Made(String),
}

impl Password {
    fn choose(ctx: &Ctx, flags: &PasswordFlags) -> anyhow::Result<Self> {
        if flags.password_stdin {
            return Ok(Self::Given(first_line_of_stdin()?));
        }
        let mut bytes = [0; PASSWORD_RANDOM_BYTES];
        (ctx.randomness)(&mut bytes);
        Ok(Self::Made(in_letters(&bytes)))
    }

    fn text(&self) -> &str {
        match self {
            Self::Given(text) | Self::Made(text) => text,
        }
    }

    fn tell(&self, flags: &PasswordFlags, user: &User, what: &str) -> anyhow::Result<()> {
        let password = match self {
            Self::Given(_) => None,
            Self::Made(text) => Some(text.as_str()),
        };
        if flags.json {
            return output::json(&WithPassword { user, password });
        }
        output::line(&format!("{} {} {what}.", user.id, user.email))?;
        if let Some(password) = password {
            output::line(&format!("Password, shown only now: {password}"))?;
        }
        Ok(())
    }
}

/// Letters and digits that are not mistaken for each other when read aloud or typed off.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Five random bits a letter, in groups of four.
fn in_letters(bytes: &[u8]) -> String {
    let letters: Vec<u8> = bytes
        .iter()
        .map(|byte| LETTERS[usize::from(byte % 32)])
        .collect();
    letters
        .chunks(4)
        .map(String::from_utf8_lossy)
        .collect::<Vec<_>>()
        .join("-")
}

/// What stands before the first line end; more than a password may have is not read.
fn first_line_of_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    // One more than may come, so that too long stays too long; and a line end.
    let bytes_max = u64::try_from(PASSWORD_BYTES_MAX + 3)?;
    io::stdin()
        .lock()
        .take(bytes_max)
        .read_to_string(&mut text)
        .context("reading the password from standard input")?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
