//! `user`: adds people, sets their passwords and roles, shuts them out, lists them and their sessions.

use std::io::{self, Read};

use anyhow::Context;
use clap::{Args, Subcommand};
use plenary_shared::domain::{Gender, Role, User};
use plenary_shared::limits::PASSWORD_BYTES_MAX;
use serde::Serialize;

use super::output;
use crate::ctx::Ctx;
use crate::service::account::{self, UserInput};
use crate::service::user_admin;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Adds a person
    Add(Add),
    /// Gives a person a new password
    Passwd(Passwd),
    /// Gives a person a role: member or admin
    Role {
        /// Their address
        email: String,
        /// member or admin
        role: Role,
    },
    /// Shuts a person out: their sessions and connections end at once
    Disable {
        /// Their address
        email: String,
    },
    /// Lets a person sign in again
    Enable {
        /// Their address
        email: String,
    },
    /// Lists a person's sessions
    Sessions {
        /// Their address
        email: String,
        /// Prints one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Ends all sessions of a person
    Revoke {
        /// Their address
        email: String,
    },
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
        Command::Role { email, role } => {
            let user = account::by_email(ctx, &email).await?;
            user_admin::set_role(ctx, None, &user, role).await?;
            Ok(output::line(&format!(
                "{} {} is {role} now.",
                user.id, user.email
            ))?)
        }
        Command::Disable { email } => {
            let user = account::by_email(ctx, &email).await?;
            user_admin::disable(ctx, None, &user).await?;
            Ok(output::line(&format!(
                "{} {} is disabled.",
                user.id, user.email
            ))?)
        }
        Command::Enable { email } => {
            let user = account::by_email(ctx, &email).await?;
            user_admin::enable(ctx, None, &user).await?;
            Ok(output::line(&format!(
                "{} {} is enabled.",
                user.id, user.email
            ))?)
        }
        Command::Sessions { email, json } => sessions(ctx, &email, json).await,
        Command::Revoke { email } => {
            let user = account::by_email(ctx, &email).await?;
            let ended = user_admin::revoke(ctx, None, &user).await?;
            Ok(output::line(&format!(
                "{ended} sessions of {} ended.",
                user.email
            ))?)
        }
    }
}

async fn add(ctx: &Ctx, asked: Add) -> anyhow::Result<()> {
    let password = Password::choose(ctx, &asked.password)?;
    let new = UserInput {
        name: asked.name,
        email: asked.email,
        age: asked.age,
        gender: asked.gender,
        role: if asked.admin {
            Role::Admin
        } else {
            Role::Member
        },
        by: None,
    };
    let user = account::add_user(ctx, new, password.text()).await?;
    password.tell(&asked.password, &user, "was added")
}

async fn passwd(ctx: &Ctx, asked: Passwd) -> anyhow::Result<()> {
    let password = Password::choose(ctx, &asked.password)?;
    let user = account::by_email(ctx, &asked.email).await?;
    user_admin::set_password(ctx, None, &user, password.text()).await?;
    password.tell(&asked.password, &user, "has a new password")
}

async fn sessions(ctx: &Ctx, email: &str, json: bool) -> anyhow::Result<()> {
    let user = account::by_email(ctx, email).await?;
    for session in user_admin::sessions(ctx, &user).await? {
        if json {
            output::json(&session)?;
        } else {
            output::line(&format!(
                "{}  until {}  {}",
                session.created_at, session.expires_at, session.label
            ))?;
        }
    }
    Ok(())
}

async fn list(ctx: &Ctx, json: bool) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = account::list(ctx, after).await?;
        for listed in &page {
            if json {
                output::json(listed)?;
            } else {
                let user = &listed.user;
                let disabled = listed.disabled_at.map_or("", |_| "  (disabled)");
                let age = user
                    .age
                    .map_or_else(|| "-".to_owned(), |age| age.to_string());
                let gender = user.gender.map_or("-", Gender::as_str);
                output::line(&format!(
                    "{:>6}  {:<6}  {:>3}  {:<6}  {:<32}  {}{disabled}",
                    user.id, user.role, age, gender, user.email, user.name
                ))?;
            }
        }
        after = page.last().map(|one| one.user.id);
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
        Ok(Self::Made(account::generate_password(ctx)))
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
