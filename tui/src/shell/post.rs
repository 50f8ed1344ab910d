//! `plenary post`: posts one message, or one for each line of standard input.

mod input;

use std::io::{self, IsTerminal as _, Read as _};

use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::protocol::Ack;
use plenary_shared::text::MessageBody;
use uuid::Uuid;

use super::retry::with_retries;
use super::{Exit, Failure, Shell, output};
use crate::api::{Api, Receipt, Response};
use crate::command_line::Post;

/// The number of attempts for a durable acknowledgement. The server waits several seconds each time.
const DURABLE_ATTEMPTS_MAX: u32 = 2;

/// Posts the messages in order. All input is checked before the first message is posted.
pub async fn run(shell: &mut Shell, args: Post) -> Result<(), Failure> {
    let api = shell.api()?;
    let instance = args.at.instance;
    let bodies = if args.lines {
        input::lines(read_stdin()?)?
    } else if args.text.is_empty() || args.text == ["-"] {
        vec![input::whole(read_stdin()?)?]
    } else {
        vec![input::whole(args.text.join(" ").into_bytes())?]
    };
    let ack = if args.durable {
        Ack::Durable
    } else {
        Ack::Ordered
    };
    let count = bodies.len();
    for (posted, body) in bodies.iter().enumerate() {
        let response = post(&api, instance, body, args.reply, ack).await;
        let response = response.map_err(|failure| {
            if count == 1 {
                failure
            } else {
                failure.with_prefix(&format!("{posted} of {count} messages were posted. "))
            }
        })?;
        shell.print_receipt(&response, &format!("posted to {instance}"))?;
    }
    Ok(())
}

/// Posts a message, with retries that share one message id.
async fn post(
    api: &Api,
    instance: InstanceId,
    body: &MessageBody,
    reply_to: Option<Seq>,
    ack: Ack,
) -> Result<Response, Failure> {
    let cmid = Cmid(Uuid::now_v7());
    let mut attempt = 1;
    loop {
        let response = with_retries(|| api.post(instance, cmid, body, reply_to, ack)).await?;
        let receipt: Receipt = response.read()?;
        if receipt.durable != Some(false) {
            return Ok(response);
        }
        // The message is posted. Repeating it with the same id only asks whether it is durable.
        if attempt >= DURABLE_ATTEMPTS_MAX {
            return Err(Failure::new(
                Exit::Unreachable,
                "not_durable",
                receipt.message,
            ));
        }
        attempt += 1;
    }
}

/// Reads standard input up to [`input::INPUT_BYTES_MAX`].
fn read_stdin() -> Result<Vec<u8>, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        output::note("Enter the message. Press Ctrl-D on an empty line to post it.");
    }
    let mut bytes = Vec::new();
    stdin
        .lock()
        .take(input::INPUT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::other(format!("Cannot read standard input: {error}.")))?;
    if bytes.len() > input::INPUT_BYTES_MAX {
        let message = format!(
            "Standard input is too long: the limit is {} bytes. Nothing was posted.",
            input::INPUT_BYTES_MAX
        );
        return Err(Reject::new(Code::TooLarge, message).into());
    }
    Ok(bytes)
}
