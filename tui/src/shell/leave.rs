//! `plenary leave`: is a participant no longer.

use plenary_shared::ids::InstanceId;

use super::{Failure, Shell};
use crate::api::DoneOk;

/// Whoever left may join again.
pub async fn run(shell: &mut Shell, instance: InstanceId) -> Result<(), Failure> {
    let api = shell.api()?;
    let answer = api.leave(instance).await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let done: DoneOk = answer.read(&api)?;
    shell.out.line(&format!(
        "left {instance} at {} (seq {})",
        shell.style.moment(done.timestamp),
        done.seq
    ))
}
