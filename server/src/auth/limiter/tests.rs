//! What the limiter admits, rejects and remembers.

use super::*;

const HOME: &str = "192.0.2.1";
const SECOND: Duration = Duration::from_secs(1);

fn peer(address: &str) -> Peer {
    Peer::new(address.parse().expect("an address"))
}

/// The hostile address with this number.
fn hostile(number: u32) -> Peer {
    Peer::new(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into())
}

fn fail(limiter: &Arc<LoginLimiter>, account: &str, from: Peer, now: Instant) -> bool {
    match limiter.acquire(account, from, now) {
        Ok(attempt) => {
            attempt.failed(now);
            true
        }
        Err(reject) => {
            assert_eq!(reject.code, Code::TooManyRequests);
            false
        }
    }
}

fn sign_in(limiter: &Arc<LoginLimiter>, account: &str, from: Peer, now: Instant) {
    let attempt = limiter.acquire(account, from, now).expect("admitted");
    attempt.succeeded(now);
}

#[test]
fn account_has_ten_attempts_and_then_waits_twice_as_long_each_time() {
    let (limiter, mut now) = (LoginLimiter::new(), Instant::now());
    for n in 0..ACCOUNT_FAILURES {
        assert!(fail(&limiter, "ada", hostile(n), now), "{n}");
    }
    for wait_s in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        let reject = limiter.acquire("ada", hostile(100), now);
        let retry_after_s = reject.expect_err("too early").retry_after_s;
        assert_eq!(retry_after_s, Some(wait_s + 1));
        now += SECOND * wait_s;
        assert!(
            fail(&limiter, "ada", hostile(100 + wait_s), now),
            "{wait_s}"
        );
    }
    limiter
        .acquire("bob", peer(HOME), now)
        .expect("bob's first");
    now += Duration::from_secs(FORGET_S);
    assert!(fail(&limiter, "ada", hostile(0), now));
    assert!(
        fail(&limiter, "ada", hostile(0), now),
        "the failures are forgotten"
    );
}

#[test]
fn address_has_twenty_attempts_for_all_accounts_together() {
    let (limiter, now) = (LoginLimiter::new(), Instant::now());
    let from = hostile(1);
    let tried = (0..100).filter(|n| fail(&limiter, &n.to_string(), from, now));
    assert_eq!(tried.count(), ADDRESS_FAILURES as usize);
    limiter
        .acquire("ada", peer(HOME), now)
        .expect("another address");
}

#[test]
fn account_under_attack_is_open_for_its_owner_at_a_known_address() {
    let (limiter, now) = (LoginLimiter::new(), Instant::now());
    sign_in(&limiter, "ada", peer(HOME), now);
    for n in 0..1_000 {
        fail(&limiter, "ada", hostile(n), now);
    }
    assert!(!fail(&limiter, "ada", hostile(5_000), now));
    sign_in(&limiter, "ada", peer(HOME), now);
    // A new address of the owner, from which somebody else has signed in.
    sign_in(&limiter, "bob", peer("192.0.2.2"), now);
    limiter
        .acquire("ada", peer("192.0.2.2"), now)
        .expect("a known address");
}

#[test]
fn address_under_attack_is_open_for_those_who_signed_in_there() {
    let (limiter, now) = (LoginLimiter::new(), Instant::now());
    limiter.remember("ada", peer(HOME), now);
    for n in 0..1_000 {
        fail(&limiter, &n.to_string(), peer(HOME), now);
    }
    assert!(!fail(&limiter, "grace", peer(HOME), now));
    sign_in(&limiter, "ada", peer(HOME), now);
}

#[test]
fn known_address_has_no_unlimited_attempts() {
    let (limiter, now) = (LoginLimiter::new(), Instant::now());
    limiter.remember("mallory", peer(HOME), now);
    let tried = (0..100).filter(|_| fail(&limiter, "ada", peer(HOME), now));
    assert_eq!(tried.count(), ACCOUNT_FAILURES as usize);
    let tried = (0..100).filter(|_| fail(&limiter, "mallory", peer(HOME), now));
    assert_eq!(tried.count(), ACCOUNT_FAILURES as usize);
}

#[test]
fn success_forgets_the_failures_of_the_account_but_not_of_the_address() {
    let (limiter, now) = (LoginLimiter::new(), Instant::now());
    let from = hostile(1);
    for _ in 1..ACCOUNT_FAILURES {
        assert!(fail(&limiter, "ada", from, now));
    }
    sign_in(&limiter, "ada", hostile(2), now);
    assert!(fail(&limiter, "ada", hostile(3), now));
    assert!(fail(&limiter, "ada", hostile(4), now));
    let more = (0..100).filter(|n| fail(&limiter, &n.to_string(), from, now));
    assert_eq!(
        more.count(),
        (ADDRESS_FAILURES - ACCOUNT_FAILURES + 1) as usize
    );
}

#[test]
fn a_sign_in_is_forgotten_after_thirty_days() {
    let (limiter, now) = (LoginLimiter::new(), Instant::now());
    let pair = ("ada".to_owned(), peer(HOME).network());
    limiter.remember("ada", peer(HOME), now);
    let later = now + Duration::from_secs(KNOWN_S - 1);
    assert_eq!(limiter.state().standing(&pair, later), Standing::Known);
    let later = now + Duration::from_secs(KNOWN_S);
    assert_eq!(limiter.state().standing(&pair, later), Standing::Unknown);
}

#[test]
fn queues_are_bounded_and_one_address_fills_half_of_one() {
    let (limiter, now) = (LoginLimiter::new(), Instant::now());
    let queue = |from: Peer| -> Vec<Attempt> {
        (0..WAITING_MAX)
            .map_while(|n| limiter.acquire(&n.to_string(), from, now).ok())
            .collect()
    };
    limiter.remember("ada", peer(HOME), now);
    let first = queue(hostile(1));
    assert_eq!(first.len(), WAITING_PER_ADDRESS_MAX);
    let second = queue(hostile(2));
    assert_eq!(first.len() + second.len(), WAITING_MAX);
    assert!(limiter.acquire("bob", hostile(3), now).is_err());
    sign_in(&limiter, "ada", peer(HOME), now);
    drop(first);
    limiter
        .acquire("bob", hostile(3), now)
        .expect("a free place");
    drop(second);
    assert!(limiter.state().waiting.is_empty());
}

#[tokio::test]
async fn known_attempt_waits_for_no_queue_of_others() {
    let (limiter, now) = (LoginLimiter::new(), Instant::now());
    limiter.remember("ada", peer(HOME), now);
    let stranger = limiter.acquire("eve", hostile(1), now).expect("admitted");
    let _turn = stranger.turn().await.expect("a turn");
    let known = limiter.acquire("ada", peer(HOME), now).expect("admitted");
    assert!(known.turn().await.expect("no turn is needed").is_none());
}

#[test]
fn counts_are_bounded() {
    let (limiter, now) = (LoginLimiter::new(), Instant::now());
    for _ in 0..ACCOUNT_FAILURES {
        fail(&limiter, "ada", hostile(0), now);
    }
    let total = u32::try_from(COUNTED_MAX).expect("a small number") + 10;
    for n in 1..total {
        fail(&limiter, &n.to_string(), hostile(n), now);
    }
    let state = limiter.state();
    assert!(state.accounts.0.len() <= COUNTED_MAX);
    assert!(state.addresses.0.len() <= COUNTED_MAX);
    let wait = state.accounts.wait(&"ada".to_owned(), ACCOUNT_LIMIT, now);
    assert!(!wait.is_zero(), "an account under attack is not forgotten");
}
