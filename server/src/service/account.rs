//! Accounts and sessions: signing in and out, authentication, passwords, and adding users.

use plenary_shared::domain::{Code, Gender, Reject, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::limits::{AGE_YEARS_MAX, EMAIL_BYTES_MAX, NAME_BYTES_MAX, PASSWORD_BYTES_MAX};
use plenary_shared::protocol::{Login, LoginOk};
use plenary_shared::text;
use tokio::time::Instant;

use crate::auth::{Attempt, Token, new_salt};
use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error, Fault};
use crate::peer::{Peer, Refused};
use crate::rules::confusable;
use crate::store::{Account, NewPassword, NewSession, NewUser, PersonListed};

/// Users per page of [`list`].
pub const LIST_PAGE: usize = 500;

/// Letters in a generated password.
const PASSWORD_RANDOM_BYTES: usize = 16;

/// The alphabet of generated passwords: no characters that look or sound alike.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Signs in with an email address and a password.
///
/// `wrong_password` does not reveal which of the two is wrong, not even by the time it takes.
pub async fn login(ctx: &Ctx, login: Login, peer: Peer) -> Answer<LoginOk> {
    let label = login.label.as_deref().unwrap_or_default();
    match verify(ctx, &login.email, login.password, peer).await? {
        // Revealed only with the right password.
        Some(account) if account.disabled => Err(Code::Disabled.into()),
        Some(account) => {
            let opened = open_session(ctx, &account.user, account.password_hash, label).await?;
            // The password was changed, or the account disabled, since it was read.
            opened.ok_or_else(|| Code::WrongPassword.into())
        }
        None => Err(Code::WrongPassword.into()),
    }
}

/// Returns the account with this email address if the password is right. Counts the attempt, and logs it
/// if it is refused.
async fn verify(ctx: &Ctx, email: &str, password: String, peer: Peer) -> Answer<Option<Account>> {
    let address = text::email_key(email);
    if password.len() > PASSWORD_BYTES_MAX || address.len() > EMAIL_BYTES_MAX {
        // No account can have such an address or password.
        peer.log_refused(Refused::WrongPassword);
        return Ok(None);
    }
    let attempt = ctx
        .login_limiter
        .acquire(&address, peer, Instant::now())
        .inspect_err(|_| peer.log_refused(Refused::TooManySignIns))?;
    let verified = verify_admitted(ctx, &attempt, email.trim(), password).await;
    match &verified {
        Ok(Some(_)) => attempt.succeeded(Instant::now()),
        Ok(None) => {
            attempt.failed(Instant::now());
            peer.log_refused(Refused::WrongPassword);
        }
        Err(_) => attempt.forgive(),
    }
    verified
}

async fn verify_admitted(
    ctx: &Ctx,
    attempt: &Attempt,
    address: &str,
    password: String,
) -> Answer<Option<Account>> {
    let account = ctx.store.account(address).await?;
    let hash = account.as_ref().and_then(|one| one.password_hash.clone());
    let turn = attempt.turn().await;
    let _turn = turn.map_err(|e| Fault::broken("waiting for a turn to sign in", e))?;
    let password = text::prepare_password(&password);
    let matches = ctx.passwords.verify(password, hash).await?;
    Ok(account.filter(|_| matches))
}

/// Closes the caller's session and invalidates its token.
pub async fn logout(ctx: &Ctx, caller: &Caller) -> Answer<()> {
    // Succeeds as well if the session was closed in the meantime.
    ctx.store.close_session(caller.session).await?;
    Ok(())
}

/// Returns the user of a token, or `not_signed_in` if it is malformed, unknown, expired or revoked.
pub async fn authenticate(ctx: &Ctx, token: &str) -> Answer<Caller> {
    let Some(token) = Token::parse(token) else {
        return Err(Code::NotSignedIn.into());
    };
    let hash = token.hash();
    match ctx.store.session(hash, ctx.now()).await? {
        Some(session) => Ok(Caller {
            user: session.user,
            session: hash,
        }),
        None => Err(Code::NotSignedIn.into()),
    }
}

/// Like [`authenticate`], for a peer: remembers it if the token is good, and logs it if not.
pub async fn authenticate_from(ctx: &Ctx, token: &str, peer: Option<Peer>) -> Answer<Caller> {
    let found = authenticate(ctx, token).await;
    match (&found, peer) {
        (Ok(caller), Some(peer)) => {
            let email = &caller.user.email;
            ctx.login_limiter.remember(email, peer, Instant::now());
        }
        (Err(Error::Reject(_)), Some(peer)) => peer.log_refused(Refused::NotSignedIn),
        (Err(Error::Fault(_)), _) | (_, None) => {}
    }
    found
}

/// Opens a session without a password and returns its token. The token cannot be read again later.
pub async fn issue_token(ctx: &Ctx, user: &User, label: &str) -> Answer<LoginOk> {
    let opened = open_session(ctx, user, None, label).await?;
    opened.ok_or_else(|| Code::Disabled.into())
}

/// Opens a session and returns its token; `None` if the account is disabled or has another password by
/// now.
async fn open_session(
    ctx: &Ctx,
    user: &User,
    password_hash: Option<String>,
    label: &str,
) -> Answer<Option<LoginOk>> {
    let token = Token::new(&*ctx.randomness);
    let now = ctx.now();
    let expires_at = now.plus_ms(i64::from(ctx.settings.get().session_ttl_s) * 1_000);
    let session = NewSession {
        token: token.hash(),
        user: user.id,
        created_at: now,
        expires_at,
        label: one_line(label),
        password_hash,
    };
    if !ctx.store.open_session(session).await? {
        return Ok(None);
    }
    Ok(Some(LoginOk {
        token: token.into_secret(),
        expires_at,
        user: user.id,
        name: user.name.clone(),
        role: user.role,
    }))
}

/// The input for a new user, not yet checked.
#[derive(Clone, Debug)]
pub struct UserInput {
    pub name: String,
    /// Email address, used to sign in.
    pub email: String,
    /// Age in years.
    pub age: Option<u32>,
    pub gender: Option<Gender>,
    pub role: Role,
    /// The admin who adds the user; `None` on the command line.
    pub by: Option<UserId>,
}

/// Adds a user. Returns `invalid` if the email address is taken.
pub async fn add_user(ctx: &Ctx, new: UserInput, password: &str) -> Answer<User> {
    let checked = |error: text::TextError| Error::Reject(error.into());
    if new.age.is_some_and(|age| age > AGE_YEARS_MAX) {
        let detail = format!("The age must be a whole number from 0 to {AGE_YEARS_MAX} years.");
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let mut new = NewUser {
        name: text::parse_name(&new.name).map_err(checked)?,
        email: text::parse_email(&new.email).map_err(checked)?,
        age: new.age,
        gender: new.gender,
        role: new.role,
        password_hash: None,
        by: new.by,
    };
    reject_confusable(ctx, &new.name).await?;
    new.password_hash = Some(hash_password(ctx, password).await?);
    ctx.store.add_user(new).await
}

/// Sets a new password and ends all sessions of the user.
pub async fn set_password(
    ctx: &Ctx,
    by: Option<UserId>,
    user: &User,
    password: &str,
) -> Answer<()> {
    let new = NewPassword {
        user: user.id,
        hash: hash_password(ctx, password).await?,
        replaces: None,
        keeps: None,
        by,
    };
    ctx.store.set_password(new).await
}

/// Changes the caller's own password and ends all their other sessions. `wrong_password`: the old one is
/// wrong.
pub async fn change_password(
    ctx: &Ctx,
    caller: &Caller,
    peer: Peer,
    old: String,
    new: &str,
) -> Answer<()> {
    text::check_password(new).map_err(|error| Error::Reject(error.into()))?;
    let wrong = || Reject::new(Code::WrongPassword, "The old password is wrong.");
    let Some(account) = verify(ctx, &caller.user.email, old, peer).await? else {
        return Err(wrong().into());
    };
    let new = NewPassword {
        user: caller.user.id,
        hash: hash_password(ctx, new).await?,
        // Not a password that an admin has set in the meantime.
        replaces: account.password_hash,
        keeps: Some(caller.session),
        by: Some(caller.user.id),
    };
    match ctx.store.set_password(new).await {
        Err(Error::Reject(reject)) if reject.code == Code::WrongPassword => Err(wrong().into()),
        answer => answer,
    }
}

/// Returns the user with this email address, or `not_found`.
pub async fn by_email(ctx: &Ctx, email: &str) -> Answer<User> {
    match ctx.store.account(email.trim()).await? {
        Some(account) => Ok(account.user),
        None => Err(Reject::new(
            Code::NotFound,
            "No user has this email address. See the list of users.",
        )
        .into()),
    }
}

/// Returns the page of users that follows `after`. The last page is shorter than [`LIST_PAGE`].
pub async fn list(ctx: &Ctx, after: Option<UserId>) -> Answer<Vec<PersonListed>> {
    ctx.store.users(after, LIST_PAGE).await
}

/// Rejects a name that looks like that of another user but is spelled with letters of another script. A
/// name of ASCII characters needs no check: a look-alike of it was refused.
async fn reject_confusable(ctx: &Ctx, name: &str) -> Answer<()> {
    if name.is_ascii() {
        return Ok(());
    }
    let mut after = None;
    loop {
        let page = list(ctx, after).await?;
        let alike = page
            .iter()
            .find(|one| confusable::looks_like(name, &one.user.name));
        if let Some(PersonListed { user, .. }) = alike {
            let detail = format!(
                "The name '{name}' looks like '{}' of user {} but mixes in letters of another script: \
                 use the letters of one script.",
                user.name, user.id
            );
            return Err(Reject::new(Code::Invalid, detail).into());
        }
        after = page.last().map(|one| one.user.id);
        if page.len() < LIST_PAGE {
            return Ok(());
        }
    }
}

async fn hash_password(ctx: &Ctx, password: &str) -> Answer<String> {
    let password = text::check_password(password).map_err(|error| Error::Reject(error.into()))?;
    let salt = new_salt(&*ctx.randomness);
    Ok(ctx.passwords.hash(password, salt).await?)
}

/// Generates a password with 80 random bits: four groups of letters and digits.
pub fn generate_password(ctx: &Ctx) -> String {
    let mut bytes = [0; PASSWORD_RANDOM_BYTES];
    (ctx.randomness)(&mut bytes);
    let letters = bytes.map(|byte| LETTERS[usize::from(byte % 32)]);
    letters
        .chunks(4)
        .map(String::from_utf8_lossy)
        .collect::<Vec<_>>()
        .join("-")
}

/// Turns a session label into one printable line that fits its column.
fn one_line(label: &str) -> String {
    let shown = text::for_terminal(label.trim());
    let end = shown.floor_char_boundary(NAME_BYTES_MAX);
    shown[..end].to_owned()
}
