//! `plenary edit`, `plenary delete`: changes a message of one's own, once whatever the network does.

use plenary_shared::domain::Reject;
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::text::MessageBody;
use uuid::Uuid;

use super::once::until_known;
use super::{Failure, Shell};
use crate::api::{Answer, Api, DoneOk};
use crate::command_line::{Delete, Edit};

/// Says from here on what the text says.
pub async fn edit(shell: &mut Shell, edit: Edit) -> Result<(), Failure> {
    let api = shell.api()?;
    let (instance, target) = (edit.at.instance, edit.target);
    let body = MessageBody::parse(edit.text.join(" ")).map_err(Reject::from)?;
    let cmid = Cmid(Uuid::now_v7());
    let answer = until_known(|| api.edit(instance, target, cmid, &body)).await?;
    done(shell, &api, &answer, &format!("changed {target}"), instance)
}

/// Says nothing any more.
pub async fn delete(shell: &mut Shell, delete: Delete) -> Result<(), Failure> {
    let api = shell.api()?;
    let (instance, target) = (delete.at.instance, delete.target);
    let cmid = Cmid(Uuid::now_v7());
    let answer = until_known(|| api.delete(instance, target, cmid)).await?;
    done(shell, &api, &answer, &format!("deleted {target}"), instance)
}

fn done(
    shell: &mut Shell,
    api: &Api,
    answer: &Answer,
    what: &str,
    instance: InstanceId,
) -> Result<(), Failure> {
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let done: DoneOk = answer.read(api)?;
    shell.out.line(&format!(
        "{what} in {instance} at {} (seq {})",
        shell.style.moment(done.timestamp),
        done.seq
    ))
}
