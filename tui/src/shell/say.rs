//! `plenary say`: posts a message, or one for each line, once each whatever the network does.

mod input;

use std::io::{self, IsTerminal as _, Read as _};

use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::Cmid;
use uuid::Uuid;

use super::once::until_known;
use super::{Failure, Shell, out};
use crate::api::DoneOk;
use crate::command_line::Say;

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
    let count = bodies.len();
    for (sent, body) in bodies.iter().enumerate() {
        let cmid = Cmid(Uuid::now_v7());
        let posting = || api.post(instance, cmid, body, say.reply);
        let answer = until_known(posting).await.map_err(|error| {
            let failure = Failure::from(error);
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
