//! Random sequences of verbs, jumps of time, restarts and crashes: every back end must agree with a
//! plain model in every answer, in every log after each step, and in all that it feeds.
//!
//! `PROPTEST_CASES` says how many sequences are tried. One that fails is made as short as it gets and
//! shown as the steps that it has; it belongs into the contract then, as a case with a name.

mod answers;
mod compare;
mod ground;
mod play;
mod state;
mod step;
mod verbs;

use proptest::collection::vec;
use proptest::test_runner::{Config, TestError, TestRunner};

use ground::Ground;
use play::Play;
use step::{Step, step};

/// Steps of one sequence: enough for the lives of several instances.
const STEPS_MAX: usize = 120;

/// Time to make a failing sequence shorter.
const SHRINK_MS_MAX: u32 = 40_000;

/// A case is played from its beginning to its end, with all that must hold after each step.
async fn play(ground: Box<dyn Ground>, steps: &[Step]) {
    let mut play = Play::begin(ground).await;
    for step in steps {
        play.take(step).await;
    }
    play.check_feed().await;
}

fn agrees<F: Future<Output = Box<dyn Ground>>>(ground: impl Fn() -> F, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let config = Config {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() {
            Config::default().cases
        } else {
            cases
        },
        max_shrink_time: SHRINK_MS_MAX,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&vec(step(), 1..STEPS_MAX), |steps| {
        runtime.block_on(async { play(ground().await, &steps).await });
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, steps)) => panic!("{why}\nafter these steps: {steps:#?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn hybrid_agrees_with_the_model() {
    agrees(ground::hybrid, 16);
}

#[test]
fn sqlite_agrees_with_the_model() {
    agrees(ground::sqlite, 48);
}
