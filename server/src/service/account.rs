//! Accounts and sessions: signing in, signing out, who asks; adding people.

use plenary_shared::domain::{Code, Gender, Reject, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::limits::{AGE_YEARS_MAX, EMAIL_BYTES_MAX, NAME_BYTES_MAX, PASSWORD_BYTES_MAX};
use plenary_shared::protocol::{Login, LoginOk};
use plenary_shared::text;

use crate::auth::{self, Token};
use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error, Fault};
use crate::store::{NewSession, NewUser, PersonListed};

/// How many people a page of [`list`] holds.
pub const LIST_PAGE: usize = 500;

/// Bytes of randomness in a password that we make.
const PASSWORD_RANDOM_BYTES: usize = 16;

/// What such a password is made of.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Opens a session for an address and its password.
///
/// `wrong_password` says never which of both is wrong, not even by the time it takes.
pub async fn login(ctx: &Ctx, login: Login) -> Answer<LoginOk> {
    let address = login.email.trim().to_lowercase();
    if login.password.len() > PASSWORD_BYTES_MAX || address.len() > EMAIL_BYTES_MAX {
        // No account has either, whoever asks.
        return Err(Code::WrongPassword.into());
    }
    let permit = ctx.login_limiter.acquire(&address)?;
    let (user, hash, disabled) = match ctx.store.account(&address).await? {
        Some(account) => (Some(account.user), account.password_hash, account.disabled),
        None => (None, None, false),
    };
    let right = permit.verify(login.password, hash).await?;
    match user.filter(|_| right) {
        // Only whoever knows the password is told so.
        Some(_) if disabled => Err(Code::Disabled.into()),
        Some(user) => issue_token(ctx, &user, login.label.as_deref().unwrap_or_default()).await,
        None => Err(Code::WrongPassword.into()),
    }
}

/// Closes the caller's session; its token is good for nothing from here on.
pub async fn logout(ctx: &Ctx, caller: &Caller) -> Answer<()> {
    // Somebody else may have closed it since the token was read: it is closed all the same.
    ctx.store.close_session(caller.session).await?;
    Ok(())
}

/// Who holds this token; `not_signed_in` if it is malformed, unknown, expired or revoked.
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

/// Opens a session and gives out its token, the only time that it is seen.
pub async fn issue_token(ctx: &Ctx, user: &User, label: &str) -> Answer<LoginOk> {
    let token = Token::new(&*ctx.randomness);
    let now = ctx.now();
    let expires_at = now.plus_ms(i64::from(ctx.session_ttl_s) * 1_000);
    let session = NewSession {
        token: token.hash(),
        user: user.id,
        created_at: now,
        expires_at,
        label: one_line(label),
    };
    ctx.store.open_session(session).await?;
    Ok(LoginOk {
        token: token.into_secret(),
        expires_at,
        user: user.id,
        name: user.name.clone(),
        role: user.role,
    })
}

/// A person to be added, as somebody typed it.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// What they are called.
    pub name: String,
    /// Their address.
    pub email: String,
    /// In years.
    pub age: Option<u32>,
    /// As they say.
    pub gender: Option<Gender>,
    /// What they may do.
    pub role: Role,
    /// The admin who adds them; nobody where it is the command line.
    pub by: Option<UserId>,
}

/// Adds a person who signs in with this password. `invalid` if the address is taken.
pub async fn add_user(ctx: &Ctx, new: NewPerson, password: &str) -> Answer<User> {
    let checked = |error: text::TextError| Error::Reject(error.into());
    if new.age.is_some_and(|age| age > AGE_YEARS_MAX) {
        let detail = format!("The age must be a whole number from 0 to {AGE_YEARS_MAX}.");
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let new = NewUser {
        name: text::parse_name(&new.name).map_err(checked)?,
        email: text::parse_email(&new.email).map_err(checked)?,
        age: new.age,
        gender: new.gender,
        role: new.role,
        by: new.by,
    };
    let by = new.by;
    let hash = hash_password(ctx, password).await?;
    let user = ctx.store.add_user(new).await?;
    ctx.store.set_password(user.id, &hash, by).await?;
    Ok(user)
}

/// Sets somebody's password.
pub async fn set_password(
    ctx: &Ctx,
    by: Option<UserId>,
    user: &User,
    password: &str,
) -> Answer<()> {
    let hash = hash_password(ctx, password).await?;
    ctx.store.set_password(user.id, &hash, by).await
}

/// The person with this address; `not_found` if there is none.
pub async fn by_email(ctx: &Ctx, email: &str) -> Answer<User> {
    match ctx.store.account(&email.trim().to_lowercase()).await? {
        Some(account) => Ok(account.user),
        None => Err(Reject::new(
            Code::NotFound,
            "There is nobody with this address: look at the list of users.",
        )
        .into()),
    }
}

/// The page of all people that comes after `after`; shorter than [`LIST_PAGE`] if it is the last.
pub async fn list(ctx: &Ctx, after: Option<UserId>) -> Answer<Vec<PersonListed>> {
    ctx.store.users(after, LIST_PAGE).await
}

async fn hash_password(ctx: &Ctx, password: &str) -> Answer<String> {
    text::check_password(password).map_err(|error| Error::Reject(error.into()))?;
    let password = password.to_owned();
    let randomness = ctx.randomness.clone();
    tokio::task::spawn_blocking(move || auth::hash_password(&password, &*randomness))
        .await
        .map_err(|e| Fault::broken("hashing a password", e))?
        .map_err(Error::Fault)
}

/// A password nobody has thought of: four groups of letters and digits that are not mistaken for each
/// other when read aloud or typed off, 80 random bits.
pub fn make_password(ctx: &Ctx) -> String {
    let mut bytes = [0; PASSWORD_RANDOM_BYTES];
    (ctx.randomness)(&mut bytes);
    in_letters(&bytes)
}

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

/// A label as lists show it: one line that fits its column, whatever came.
fn one_line(label: &str) -> String {
    let shown = text::for_terminal(label.trim());
    let end = shown.floor_char_boundary(NAME_BYTES_MAX);
    shown[..end].to_owned()
}
