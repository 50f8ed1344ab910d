//! `plenary join`: becomes a participant.

use plenary_shared::ids::InstanceId;

use super::{Failure, Shell};
use crate::api::DoneOk;

/// Until they leave or the instance ends.
pub async fn run(shell: &mut Shell, instance: InstanceId) -> Result<(), Failure> {
    let api = shell.api()?;
    let answer = api.join(instance).await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let done: DoneOk = answer.read(&api)?;
    shell.out.line(&format!(
        "joined {instance} at {} (seq {})",
        shell.style.moment(done.timestamp),
        done.seq
    ))
}
