//! `user`: adds, changes, disables and lists users, and manages their sessions.

use std::io::{self, Read};

use anyhow::Context;
use clap::{Args, Subcommand};
use plenary_shared::domain::{Gender, Role, User};
use plenary_shared::limits::PASSWORD_BYTES_MAX;
use plenary_shared::unicode::without_bom;
use serde::Serialize;

use super::output;
use crate::ctx::Ctx;
use crate::service::account::{self, UserInput};
use crate::service::user_admin;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a user
    Add(Add),
    /// Set a new password and end all sessions of a user
    Passwd(Passwd),
    /// Set the role of a user
    #[command(after_help = "Example:\n  plenary-server user role ada@example.org admin")]
    Role {
        /// Email address of the user
        email: String,
        /// member or admin
        role: Role,
    },
    /// Disable a user: end their sessions and prevent further logins
    #[command(after_help = "Example:\n  plenary-server user disable bob@example.org")]
    Disable {
        /// Email address of the user
        email: String,
    },
    /// Enable a disabled user
    #[command(after_help = "Example:\n  plenary-server user enable bob@example.org")]
    Enable {
        /// Email address of the user
        email: String,
    },
    /// List the sessions of a user
    #[command(after_help = "Example:\n  plenary-server user sessions ada@example.org --json")]
    Sessions {
        /// Email address of the user
        email: String,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// End all sessions of a user
    #[command(after_help = "Example:\n  plenary-server user revoke ada@example.org")]
    Revoke {
        /// Email address of the user
        email: String,
    },
    /// List all users
    #[command(after_help = "Example:\n  plenary-server user list --json | jq -r .email")]
    List {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  plenary-server user add --name Ada --email ada@example.org --admin
  plenary-server user add --name Bob --email bob@example.org --password-stdin < password.txt")]
pub(super) struct Add {
    /// Display name
    #[arg(long)]
    name: String,
    /// Email address, used to sign in
    #[arg(long)]
    email: String,
    /// Age in years
    #[arg(long)]
    age: Option<u32>,
    /// male, female or other
    #[arg(long)]
    gender: Option<Gender>,
    /// Make the user an admin, who can see and moderate all meetings
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    password: PasswordFlags,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  plenary-server user passwd ada@example.org")]
pub(super) struct Passwd {
    /// Email address of the user
    email: String,
    #[command(flatten)]
    password: PasswordFlags,
}

#[derive(Args, Debug)]
struct PasswordFlags {
    /// Read the password from standard input instead of generating one
    #[arg(long)]
    password_stdin: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A user, with their password if it was generated.
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
            let changed = user_admin::set_role(ctx, None, &user, role).await?;
            let already = if changed { "now" } else { "already" };
            Ok(output::line(&format!(
                "{} {} {already} has the role {role}.",
                user.id, user.email
            ))?)
        }
        Command::Disable { email } => {
            let user = account::by_email(ctx, &email).await?;
            let changed = user_admin::disable(ctx, None, &user).await?;
            let already = if changed { "" } else { "already " };
            Ok(output::line(&format!(
                "{} {} is {already}disabled.",
                user.id, user.email
            ))?)
        }
        Command::Enable { email } => {
            let user = account::by_email(ctx, &email).await?;
            let changed = user_admin::enable(ctx, None, &user).await?;
            let already = if changed { "" } else { "already " };
            Ok(output::line(&format!(
                "{} {} is {already}enabled.",
                user.id, user.email
            ))?)
        }
        Command::Sessions { email, json } => sessions(ctx, &email, json).await,
        Command::Revoke { email } => {
            let user = account::by_email(ctx, &email).await?;
            let ended = user_admin::revoke(ctx, None, user.id, None).await?;
            Ok(output::line(&format!(
                "Ended {ended} sessions of {}.",
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
    password.print(&asked.password, &user, "was added")
}

async fn passwd(ctx: &Ctx, asked: Passwd) -> anyhow::Result<()> {
    let password = Password::choose(ctx, &asked.password)?;
    let user = account::by_email(ctx, &asked.email).await?;
    account::set_password(ctx, None, &user, password.text()).await?;
    password.print(&asked.password, &user, "has a new password")
}

async fn sessions(ctx: &Ctx, email: &str, json: bool) -> anyhow::Result<()> {
    let user = account::by_email(ctx, email).await?;
    for session in user_admin::sessions(ctx, user.id, None).await? {
        if json {
            output::json(&session)?;
        } else {
            output::line(&format!(
                "{}  {}  until {}  {}",
                session.id, session.created_at, session.expires_at, session.label
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

/// A password from standard input, or a generated one that has to be printed.
enum Password {
    Given(String),
    Generated(String),
}

impl Password {
    fn choose(ctx: &Ctx, flags: &PasswordFlags) -> anyhow::Result<Self> {
        if flags.password_stdin {
            return Ok(Self::Given(first_line_of_stdin()?));
        }
        Ok(Self::Generated(account::generate_password(ctx)))
    }

    fn text(&self) -> &str {
        match self {
            Self::Given(text) | Self::Generated(text) => text,
        }
    }

    fn print(&self, flags: &PasswordFlags, user: &User, what: &str) -> anyhow::Result<()> {
        let password = match self {
            Self::Given(_) => None,
            Self::Generated(text) => Some(text.as_str()),
        };
        if flags.json {
            return output::json(&WithPassword { user, password });
        }
        output::line(&format!("{} {} {what}.", user.id, user.email))?;
        if let Some(password) = password {
            output::line(&format!("Generated password (shown once): {password}"))?;
        }
        Ok(())
    }
}

/// Reads the first line of standard input, but not much more than the longest password.
fn first_line_of_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    // One byte more than allowed, so that a long password is rejected, a line end and a byte order mark.
    let bytes_max = u64::try_from(PASSWORD_BYTES_MAX + '\u{feff}'.len_utf8() + 3)?;
    io::stdin()
        .lock()
        .take(bytes_max)
        .read_to_string(&mut text)
        .context("reading the password from standard input")?;
    Ok(without_bom(&text)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned())
}
