//! `plenary say`: posts a message, or one for each line, once each whatever the network does.

mod input;

use std::io::{self, IsTerminal as _, Read as _};

use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::protocol::Ack;
use plenary_shared::text::MessageBody;
use uuid::Uuid;

use super::once::until_known;
use super::{Exit, Failure, Shell, out};
use crate::api::{Answer, Api, DoneOk};
use crate::command_line::Say;

/// The archive is asked for so often; the server waits some seconds for it each time.
const DURABLE_TRIES_MAX: u32 = 2;

/// One after the other, in their order.
pub async fn run(shell: &mut Shell, say: Say) -> Result<(), Failure> {
    let api = shell.api()?;
    let instance = say.at.instance;
    let from_stdin = say.text.is_empty() || say.text == ["-"];
    let bodies = if say.lines {
        input::lines(read_stdin()?)?
    } else if from_stdin {
        vec![input::whole(read_stdin()?)?]
    } else {
        vec![input::whole(say.text.join(" ").into_bytes())?]
    };
    let ack = if say.durable {
        Ack::Durable
    } else {
        Ack::Ordered
    };
    let count = bodies.len();
    for (sent, body) in bodies.iter().enumerate() {
        let posting = post(&api, instance, body, say.reply, ack);
        let answer = posting.await.map_err(|failure| {
            if count == 1 {
                failure
            } else {
                failure.after(&format!("{sent} of {count} messages were sent. "))
            }
        })?;
        if shell.json {
            shell.out.line(&answer.json())?;
        } else {
            let done: DoneOk = answer.read(&api)?;
            shell.out.line(&format!(
                "said in {instance} at {} (seq {})",
                shell.style.moment(done.timestamp),
                done.seq
            ))?;
        }
    }
    Ok(())
}

/// Tries until it is known to be said, or refused; the id that all tries share keeps it single.
async fn post(
    api: &Api,
    instance: InstanceId,
    body: &MessageBody,
    reply: Option<plenary_shared::ids::Seq>,
    ack: Ack,
) -> Result<Answer, Failure> {
    let cmid = Cmid(Uuid::now_v7());
    let mut tries = 1;
    loop {
        let answer = until_known(|| api.post(instance, cmid, body, reply, ack)).await?;
        let done: DoneOk = answer.read(api)?;
        if done.durable != Some(false) {
            return Ok(answer);
        }
        // It is said; the same id asks again whether the archive has it.
        if tries >= DURABLE_TRIES_MAX {
            return Err(Failure::told(
                Exit::Unreachable,
                "not_durable",
                done.message,
            ));
        }
        tries += 1;
    }
}

/// All of it, but no more than [`input::INPUT_BYTES_MAX`].
fn read_stdin() -> Result<Vec<u8>, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        out::note("type the message; Ctrl-D on a line of its own sends it");
    }
    let mut bytes = Vec::new();
    stdin
        .lock()
        .take(input::INPUT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::other(format!("Standard input cannot be read: {error}.")))?;
    if bytes.len() > input::INPUT_BYTES_MAX {
        let sentence = format!(
            "Standard input has more than {} bytes: nothing was sent.",
            input::INPUT_BYTES_MAX
        );
        return Err(Reject::new(Code::TooLarge, sentence).into());
    }
    Ok(bytes)
}
