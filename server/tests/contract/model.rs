//! Random sequences of operations, time jumps, restarts and crashes: every back end must agree with
//! a plain model in every answer, in every log after each step, and in everything it feeds.
//!
//! `PROPTEST_CASES` sets the number of sequences. A failing sequence is shrunk and printed as a
//! list of steps.

mod answers;
mod back_end;
mod compare;
mod runner;
mod state;
mod step;
mod verbs;

use proptest::collection::vec;
use proptest::test_runner::{Config, TestError, TestRunner};

use back_end::BackEnd;
use runner::Runner;
use step::{Step, step};

/// Steps of one sequence: enough for the whole life of several instances.
const STEPS_MAX: usize = 120;

/// Time limit for shrinking a failing sequence.
const SHRINK_MS_MAX: u32 = 40_000;

/// Runs one sequence and checks the invariants after each step.
async fn runner(back_end: Box<dyn BackEnd>, steps: &[Step]) {
    let mut runner = Runner::begin(back_end).await;
    for step in steps {
        runner.take(step).await;
    }
    runner.check_feed().await;
}

fn agrees<F: Future<Output = Box<dyn BackEnd>>>(back_end: impl Fn() -> F, cases: u32) {
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
        runtime.block_on(async { runner(back_end().await, &steps).await });
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, steps)) => panic!("{why}\nafter these steps: {steps:#?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn redis_mysql_agrees_with_the_model() {
    agrees(back_end::redis_mysql, 16);
}

#[test]
fn sqlite_agrees_with_the_model() {
    agrees(back_end::sqlite, 48);
}
