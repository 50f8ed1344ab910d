//! Accounts and sessions: signing in and out, authentication, passwords, and adding users.

use plenary_shared::domain::{Code, Gender, Reject, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::limits::{AGE_YEARS_MAX, EMAIL_BYTES_MAX, NAME_BYTES_MAX, PASSWORD_BYTES_MAX};
use plenary_shared::protocol::{Login, LoginOk};
use plenary_shared::text;

use crate::auth::{self, Token};
use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error, Fault};
use crate::store::{NewSession, NewUser, PersonListed};

/// Users per page of [`list`].
pub const LIST_PAGE: usize = 500;

/// Letters in a generated password.
const PASSWORD_RANDOM_BYTES: usize = 16;

/// The alphabet of generated passwords: no characters that look or sound alike.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Signs in with an email address and a password.
///
/// `wrong_password` does not reveal which of the two is wrong, not even by the time it takes.
pub async fn login(ctx: &Ctx, login: Login) -> Answer<LoginOk> {
    let address = login.email.trim().to_lowercase();
    if login.password.len() > PASSWORD_BYTES_MAX || address.len() > EMAIL_BYTES_MAX {
        // No account can have such an address or password.
        return Err(Code::WrongPassword.into());
    }
    let permit = ctx.login_limiter.acquire(&address)?;
    let (user, hash, disabled) = match ctx.store.account(&address).await? {
        Some(account) => (Some(account.user), account.password_hash, account.disabled),
        None => (None, None, false),
    };
    let matches = permit.verify(login.password, hash).await?;
    match user.filter(|_| matches) {
        // Revealed only with the right password.
        Some(_) if disabled => Err(Code::Disabled.into()),
        Some(user) => issue_token(ctx, &user, login.label.as_deref().unwrap_or_default()).await,
        None => Err(Code::WrongPassword.into()),
    }
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

/// Opens a session and returns its token. The token cannot be read again later.
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

/// Sets the password of a user.
pub async fn set_password(
    ctx: &Ctx,
    by: Option<UserId>,
    user: &User,
    password: &str,
) -> Answer<()> {
    let hash = hash_password(ctx, password).await?;
    ctx.store.set_password(user.id, &hash, by).await
}

/// Returns the user with this email address, or `not_found`.
pub async fn by_email(ctx: &Ctx, email: &str) -> Answer<User> {
    match ctx.store.account(&email.trim().to_lowercase()).await? {
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

async fn hash_password(ctx: &Ctx, password: &str) -> Answer<String> {
    text::check_password(password).map_err(|error| Error::Reject(error.into()))?;
    let password = password.to_owned();
    let randomness = ctx.randomness.clone();
    tokio::task::spawn_blocking(move || auth::hash_password(&password, &*randomness))
        .await
        .map_err(|e| Fault::broken("hashing a password", e))?
        .map_err(Error::Fault)
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
