//! `plenary admin user` and `plenary admin explain`: people as admins keep them.

use plenary_shared::domain::{Gender, Role};
use plenary_shared::ids::UserId;
use plenary_shared::protocol::Verdict;
use plenary_shared::text::for_terminal;
use plenary_shared::time::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::login::first_line;
use super::super::{Failure, Shell};
use crate::api::{Answer, Api, json_for_terminal};
use crate::command_line::{AddUser, Explain, OfUser, SetPassword, UserCommand};

/// A page of everybody.
#[derive(Deserialize)]
struct Users {
    users: Vec<Listed>,
    more: bool,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "userID")]
    id: UserId,
    name: String,
    email: String,
    role: Role,
    age: Option<u32>,
    gender: Option<Gender>,
    disabled_at: Option<Timestamp>,
}

/// That something was done to somebody.
#[derive(Deserialize)]
struct Kept {
    message: String,
    password: Option<String>,
}

/// Somebody who was added.
#[derive(Deserialize)]
struct Added {
    #[serde(rename = "userID")]
    id: UserId,
    email: String,
    password: Option<String>,
}

#[derive(Deserialize)]
struct Sessions {
    sessions: Vec<Session>,
}

#[derive(Deserialize)]
struct Session {
    label: String,
    created_at: Timestamp,
    expires_at: Timestamp,
}

/// Why somebody may join an instance, or may not.
pub(super) async fn explain(shell: &mut Shell, asked: Explain) -> Result<(), Failure> {
    let api = shell.api()?;
    let answer = api.explain(asked.at.instance, &asked.email).await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let verdict: Verdict = answer.read(&api)?;
    let may = if verdict.allowed {
        "may join"
    } else {
        "may not join"
    };
    let text = format!("{may} ({}): {}", verdict.rule, verdict.because);
    shell.out.line(&for_terminal(&text))?;
    let change = format!("what would change it: {}", verdict.change);
    shell.out.line(&for_terminal(&change))
}

/// Does one thing with people.
pub(super) async fn run(shell: &mut Shell, command: UserCommand) -> Result<(), Failure> {
    let api = shell.api()?;
    match command {
        UserCommand::List => list(shell, &api).await,
        UserCommand::Add(asked) => add(shell, &api, asked).await,
        UserCommand::Role(asked) => {
            let body = json!({ "role": asked.role });
            keep(shell, &api, &asked.of, Method::PUT, "role", body).await
        }
        UserCommand::Passwd(asked) => passwd(shell, &api, asked).await,
        UserCommand::Disable(of) => {
            keep(shell, &api, &of, Method::POST, "disable", json!({})).await
        }
        UserCommand::Enable(of) => keep(shell, &api, &of, Method::POST, "enable", json!({})).await,
        UserCommand::Sessions(of) => sessions(shell, &api, &of).await,
        UserCommand::Revoke(of) => {
            keep(shell, &api, &of, Method::DELETE, "sessions", json!({})).await
        }
    }
}

async fn list(shell: &mut Shell, api: &Api) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let answer = api.users(after).await?;
        let page: Users = answer.read(api)?;
        if shell.json {
            let page: Value = answer.read(api)?;
            for user in page["users"].as_array().into_iter().flatten() {
                shell.out.line(&json_for_terminal(&user.to_string()))?;
            }
        } else {
            for user in &page.users {
                shell.out.line(&for_terminal(&line(user)))?;
            }
        }
        after = page.users.last().map(|user| user.id);
        // An empty page that has more behind it would never end.
        if !page.more || after.is_none() {
            return Ok(());
        }
    }
}

fn line(user: &Listed) -> String {
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

async fn add(shell: &mut Shell, api: &Api, asked: AddUser) -> Result<(), Failure> {
    let role = if asked.admin {
        Role::Admin
    } else {
        Role::Member
    };
    let body = json!({
        "name": asked.name,
        "email": asked.email,
        "age": asked.age,
        "gender": asked.gender,
        "role": role,
        "password": given(asked.password_stdin)?,
    });
    let answer = api.change(Method::POST, "/users", &body).await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let added: Added = answer.read(api)?;
    let said = format!("{} {} was added.", added.id, added.email);
    shell.out.line(&for_terminal(&said))?;
    tell_password(shell, added.password)
}

async fn passwd(shell: &mut Shell, api: &Api, asked: SetPassword) -> Result<(), Failure> {
    let body = json!({ "password": given(asked.password_stdin)? });
    keep(shell, api, &asked.of, Method::PUT, "password", body).await
}

async fn sessions(shell: &mut Shell, api: &Api, of: &OfUser) -> Result<(), Failure> {
    let id = whose(api, of).await?;
    let answer = api
        .of_user(Method::GET, id, "sessions", &Value::Null)
        .await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let found: Sessions = answer.read(api)?;
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

async fn keep(
    shell: &mut Shell,
    api: &Api,
    of: &OfUser,
    method: Method,
    what: &str,
    body: Value,
) -> Result<(), Failure> {
    let id = whose(api, of).await?;
    let answer: Answer = api.of_user(method, id, what, &body).await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let kept: Kept = answer.read(api)?;
    shell.out.line(&for_terminal(&kept.message))?;
    tell_password(shell, kept.password)
}

fn tell_password(shell: &mut Shell, password: Option<String>) -> Result<(), Failure> {
    match password {
        Some(password) => {
            let said = format!("Password, shown only now: {password}");
            shell.out.line(&for_terminal(&said))
        }
        None => Ok(()),
    }
}

fn given(from_stdin: bool) -> Result<Option<String>, Failure> {
    from_stdin.then(first_line).transpose()
}

/// The number of whom is named; an address is looked up.
async fn whose(api: &Api, of: &OfUser) -> Result<UserId, Failure> {
    if let Ok(id) = of.who.trim_start_matches('#').parse() {
        return Ok(id);
    }
    let found: Users = api.user_with(&of.who).await?.read(api)?;
    match found.users.first() {
        Some(user) => Ok(user.id),
        None => Err(plenary_shared::domain::Reject::new(
            plenary_shared::domain::Code::NotFound,
            "There is nobody with this address: look at 'plenary admin user list'.",
        )
        .into()),
    }
}
