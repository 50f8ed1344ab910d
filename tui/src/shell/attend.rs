//! `plenary join` and `plenary leave`.

use plenary_shared::ids::InstanceId;

use super::{Failure, Shell};

pub async fn join(shell: &mut Shell, instance: InstanceId) -> Result<(), Failure> {
    let response = shell.api()?.join(instance).await?;
    shell.print_receipt(&response, &format!("joined {instance}"))
}

pub async fn leave(shell: &mut Shell, instance: InstanceId) -> Result<(), Failure> {
    let response = shell.api()?.leave(instance).await?;
    shell.print_receipt(&response, &format!("left {instance}"))
}
