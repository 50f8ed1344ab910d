//! `plenary admin user`: people, its arguments and its help.

use clap::{Args, Subcommand};
use plenary_shared::domain::{Gender, Role};

/// `plenary admin user`
#[derive(Clone, Debug, Args)]
pub struct User {
    /// What to do.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// What is done with people.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// List everybody
    List,
    /// Add a person
    Add(AddUser),
    /// Give a person a role
    Role(SetRole),
    /// Give a person a new password; their sessions end
    Passwd(SetPassword),
    /// Shut a person out: their sessions and connections end at once
    Disable(OfUser),
    /// Let a person sign in again
    Enable(OfUser),
    /// List a person's sessions
    Sessions(OfUser),
    /// End all sessions of a person
    Revoke(OfUser),
}

/// Whom it concerns.
#[derive(Clone, Debug, Args)]
pub struct OfUser {
    /// Whom: a userID or an e-mail address
    #[arg(value_name = "WHO")]
    pub who: String,
}

/// `plenary admin user add`
#[derive(Clone, Debug, Args)]
pub struct AddUser {
    /// What they are called
    #[arg(long)]
    pub name: String,
    /// Their address, with which they sign in
    #[arg(long)]
    pub email: String,
    /// In years
    #[arg(long)]
    pub age: Option<u32>,
    /// male, female or other
    #[arg(long)]
    pub gender: Option<Gender>,
    /// Lets them see every meeting and steer it
    #[arg(long)]
    pub admin: bool,
    /// Reads the password from standard input; otherwise one is made and printed
    #[arg(long)]
    pub password_stdin: bool,
}

/// `plenary admin user role`
#[derive(Clone, Debug, Args)]
pub struct SetRole {
    /// Whom.
    #[command(flatten)]
    pub of: OfUser,
    /// member or admin
    pub role: Role,
}

/// `plenary admin user passwd`
#[derive(Clone, Debug, Args)]
pub struct SetPassword {
    /// Whom.
    #[command(flatten)]
    pub of: OfUser,
    /// Reads the password from standard input; otherwise one is made and printed
    #[arg(long)]
    pub password_stdin: bool,
}
