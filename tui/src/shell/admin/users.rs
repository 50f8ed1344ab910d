//! `plenary admin user` and `plenary admin explain`.

use plenary_shared::domain::{Code, Gender, Reject, Role};
use plenary_shared::ids::UserId;
use plenary_shared::protocol::{SessionsOk, Verdict};
use plenary_shared::text::for_terminal;
use plenary_shared::time::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::login::first_line;
use super::super::{Failure, Shell};
use crate::api::{Api, json_for_terminal};
use crate::command_line::{AddUser, Explain, UserArg, UserCommand};

/// A page of users.
#[derive(Deserialize)]
struct UsersPage {
    users: Vec<ListedUser>,
    more: bool,
}

#[derive(Deserialize)]
struct ListedUser {
    #[serde(rename = "userID")]
    id: UserId,
    name: String,
    email: String,
    role: Role,
    age: Option<u32>,
    gender: Option<Gender>,
    disabled_at: Option<Timestamp>,
}

/// The response to a change of a user.
#[derive(Deserialize)]
struct Changed {
    message: String,
    password: Option<String>,
}

/// The response to adding a user.
#[derive(Deserialize)]
struct Added {
    #[serde(rename = "userID")]
    id: UserId,
    email: String,
    password: Option<String>,
}

/// Explains why a user can or cannot join an instance.
pub(super) async fn explain(shell: &mut Shell, args: Explain) -> Result<(), Failure> {
    let response = shell.api()?.explain(args.at.instance, &args.email).await?;
    if shell.json {
        return shell.out.line(&response.json());
    }
    let verdict: Verdict = response.read()?;
    let can = if verdict.allowed { "can" } else { "cannot" };
    let text = format!("{can} join ({}): {}", verdict.rule, verdict.explanation);
    shell.out.line(&for_terminal(&text))?;
    let change = format!("to change this: {}", verdict.remedy);
    shell.out.line(&for_terminal(&change))
}

/// Runs a command of `plenary admin user`.
pub(super) async fn run(shell: &mut Shell, command: UserCommand) -> Result<(), Failure> {
    let api = shell.api()?;
    match command {
        UserCommand::List => list(shell, &api).await,
        UserCommand::Add(args) => add(shell, &api, args).await,
        UserCommand::Role(args) => {
            let body = json!({ "role": args.role });
            change(shell, &api, &args.user, Method::PUT, "role", body).await
        }
        UserCommand::Passwd(args) => {
            let body = json!({ "password": password(args.password_stdin)? });
            change(shell, &api, &args.user, Method::PUT, "password", body).await
        }
        UserCommand::Disable(user) => {
            change(shell, &api, &user, Method::POST, "disable", json!({})).await
        }
        UserCommand::Enable(user) => {
            change(shell, &api, &user, Method::POST, "enable", json!({})).await
        }
        UserCommand::Sessions(user) => sessions(shell, &api, &user).await,
        UserCommand::Revoke(user) => {
            change(shell, &api, &user, Method::DELETE, "sessions", json!({})).await
        }
    }
}

async fn list(shell: &mut Shell, api: &Api) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let response = api.users(after).await?;
        let page: UsersPage = response.read()?;
        if shell.json {
            let page: Value = response.read()?;
            for user in page["users"].as_array().into_iter().flatten() {
                shell.out.line(&json_for_terminal(&user.to_string()))?;
            }
        } else {
            for user in &page.users {
                shell.out.line(&for_terminal(&line(user)))?;
            }
        }
        after = page.users.last().map(|user| user.id);
        // An empty page that claims more would repeat forever.
        if !page.more || after.is_none() {
            return Ok(());
        }
    }
}

fn line(user: &ListedUser) -> String {
    let age = user
        .age
        .map_or_else(|| "-".to_owned(), |age| age.to_string());
    let gender = user.gender.map_or("-", Gender::as_str);
    let disabled = user.disabled_at.map_or("", |_| "  (disabled)");
    format!(
        "{:>6}  {:<6}  {age:>3}  {gender:<6}  {:<32}  {}{disabled}",
        user.id, user.role, user.email, user.name
    )
}

async fn add(shell: &mut Shell, api: &Api, args: AddUser) -> Result<(), Failure> {
    let role = if args.admin {
        Role::Admin
    } else {
        Role::Member
    };
    let body = json!({
        "name": args.name,
        "email": args.email,
        "age": args.age,
        "gender": args.gender,
        "role": role,
        "password": password(args.password_stdin)?,
    });
    let response = api.json_request(Method::POST, "/users", &body).await?;
    if shell.json {
        return shell.out.line(&response.json());
    }
    let added: Added = response.read()?;
    let text = format!("added user {} ({})", added.id, added.email);
    shell.out.line(&for_terminal(&text))?;
    print_password(shell, added.password)
}

async fn sessions(shell: &mut Shell, api: &Api, user: &UserArg) -> Result<(), Failure> {
    let id = find(api, user).await?;
    let response = api
        .user_request(Method::GET, id, "sessions", &Value::Null)
        .await?;
    if shell.json {
        return shell.out.line(&response.json());
    }
    let found: SessionsOk = response.read()?;
    for session in found.sessions {
        let line = format!(
            "{}  until {}  {}",
            shell.style.moment(session.created_at),
            shell.style.moment(session.expires_at),
            session.label
        );
        shell.out.line(&for_terminal(&line))?;
    }
    Ok(())
}

async fn change(
    shell: &mut Shell,
    api: &Api,
    user: &UserArg,
    method: Method,
    route: &str,
    body: Value,
) -> Result<(), Failure> {
    let id = find(api, user).await?;
    let response = api.user_request(method, id, route, &body).await?;
    if shell.json {
        return shell.out.line(&response.json());
    }
    let changed: Changed = response.read()?;
    shell.out.line(&for_terminal(&changed.message))?;
    print_password(shell, changed.password)
}

fn print_password(shell: &mut Shell, password: Option<String>) -> Result<(), Failure> {
    match password {
        Some(password) => {
            let text = format!("Generated password (shown once): {password}");
            shell.out.line(&for_terminal(&text))
        }
        None => Ok(()),
    }
}

fn password(from_stdin: bool) -> Result<Option<String>, Failure> {
    from_stdin.then(first_line).transpose()
}

/// Returns the id of the user. Looks an email up.
async fn find(api: &Api, user: &UserArg) -> Result<UserId, Failure> {
    if let Ok(id) = user.user.trim_start_matches('#').parse() {
        return Ok(id);
    }
    let found: UsersPage = api.user_by_email(&user.user).await?.read()?;
    match found.users.first() {
        Some(user) => Ok(user.id),
        None => Err(Reject::new(
            Code::NotFound,
            format!(
                "No user has the email '{}'. List all users with 'plenary admin user list'.",
                user.user
            ),
        )
        .into()),
    }
}
