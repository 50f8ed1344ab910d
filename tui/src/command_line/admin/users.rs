//! `plenary admin user`: arguments and help texts.

use clap::{Args, Subcommand};
use plenary_shared::domain::{Gender, Role};

/// `plenary admin user`
#[derive(Clone, Debug, Args)]
pub struct User {
    /// The command.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// The commands of `plenary admin user`.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// List all users
    #[command(after_help = "Example:\n  plenary admin user list --json | jq -r .email")]
    List,
    /// Add a user
    #[command(
        after_help = "Generates a password and prints it once unless --password-stdin is given.\n\n\
        Example:\n  plenary admin user add --name Ada --email ada@example.org --age 36"
    )]
    Add(AddUser),
    /// Set the role of a user
    #[command(after_help = "Example:\n  plenary admin user role ada@example.org admin")]
    Role(SetRole),
    /// Set the password of a user and end their sessions
    #[command(
        after_help = "Generates a password and prints it once unless --password-stdin is given.\n\n\
        Examples:\n  plenary admin user passwd ada@example.org\n  \
        pass show ada | plenary admin user passwd ada@example.org --password-stdin"
    )]
    Passwd(SetPassword),
    /// Disable a user and end their sessions and connections
    #[command(after_help = "A disabled user cannot sign in.\n\n\
        Example:\n  plenary admin user disable mallory@example.org")]
    Disable(UserArg),
    /// Enable a disabled user
    #[command(after_help = "Example:\n  plenary admin user enable mallory@example.org")]
    Enable(UserArg),
    /// List the sessions of a user
    #[command(after_help = "Example:\n  plenary admin user sessions ada@example.org")]
    Sessions(UserArg),
    /// End all sessions of a user
    #[command(after_help = "Example:\n  plenary admin user revoke ada@example.org")]
    Revoke(UserArg),
}

/// The argument that names a user.
#[derive(Clone, Debug, Args)]
pub struct UserArg {
    /// User ID or email
    #[arg(value_name = "USER")]
    pub user: String,
}

/// `plenary admin user add`
#[derive(Clone, Debug, Args)]
pub struct AddUser {
    /// Display name
    #[arg(long)]
    pub name: String,
    /// Email to sign in with
    #[arg(long)]
    pub email: String,
    /// Age in years
    #[arg(long)]
    pub age: Option<u32>,
    /// Gender: male, female or other
    #[arg(long)]
    pub gender: Option<Gender>,
    /// Give the role admin
    #[arg(long)]
    pub admin: bool,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
}

/// `plenary admin user role`
#[derive(Clone, Debug, Args)]
pub struct SetRole {
    /// The user.
    #[command(flatten)]
    pub user: UserArg,
    /// New role: member or admin
    pub role: Role,
}

/// `plenary admin user passwd`
#[derive(Clone, Debug, Args)]
pub struct SetPassword {
    /// The user.
    #[command(flatten)]
    pub user: UserArg,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
}
