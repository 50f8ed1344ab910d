//! `plenary edit` and `plenary delete`.

use plenary_shared::domain::Reject;
use plenary_shared::ids::Cmid;
use plenary_shared::text::MessageBody;
use uuid::Uuid;

use super::retry::with_retries;
use super::{Failure, Shell};
use crate::command_line::{Delete, Edit};

/// Replaces the text of a message.
pub async fn edit(shell: &mut Shell, args: Edit) -> Result<(), Failure> {
    let api = shell.api()?;
    let (instance, target) = (args.at.instance, args.target);
    let body = MessageBody::parse(args.text.join(" ")).map_err(Reject::from)?;
    let cmid = Cmid(Uuid::now_v7());
    let response = with_retries(|| api.edit(instance, target, cmid, &body)).await?;
    shell.print_receipt(&response, &format!("edited message {target} in {instance}"))
}

/// Deletes a message.
pub async fn delete(shell: &mut Shell, args: Delete) -> Result<(), Failure> {
    let api = shell.api()?;
    let (instance, target) = (args.at.instance, args.target);
    let cmid = Cmid(Uuid::now_v7());
    let response = with_retries(|| api.delete(instance, target, cmid)).await?;
    shell.print_receipt(
        &response,
        &format!("deleted message {target} in {instance}"),
    )
}
