//! `revoke ID`: the end of a grant, at once.

use std::{io, process::ExitCode, time::Instant};

use tokio::runtime::Builder;

use super::{LEFT, arguments::RevokeCommand, failed::Failed, governance, tell, tell_missed};
use crate::governance::command::{Command, Revocation};

/// Does it, and gives the exit code.
pub(super) fn run(command: &RevokeCommand) -> ExitCode {
    let done = Builder::new_current_thread().enable_all().build().map_err(Failed::from);
    match done.and_then(|it| it.block_on(perform(command))) {
        Ok(code) => code,
        Err(Failed(text)) => tell(&mut io::stderr(), &text, ExitCode::FAILURE),
    }
}

async fn perform(command: &RevokeCommand) -> Result<ExitCode, Failed> {
    let RevokeCommand { request, reason, environment, timeout } = command;
    let deadline = Instant::now() + *timeout;
    let governed = governance(environment.as_deref(), deadline).await?;
    let revocation = Revocation { request: request.clone(), reason: reason.clone() };
    let known = governed.command(Command::RevokeGrant(revocation), deadline).await?;
    if governed.mailbox(&known.state).is_some() {
        let text = format!("That `{request}` is to be revoked was filed; the platform's next run does it.");
        return Ok(tell(&mut io::stdout(), &text, ExitCode::from(LEFT)));
    }
    let done = governed.revoke_grant(request, deadline).await;
    tell_missed(&governed);
    match done {
        Ok(known) => {
            let status = known.state.request(request).map(|it| it.status.word()).unwrap_or_default();
            Ok(tell(&mut io::stdout(), &format!("`{request}` is {status}."), ExitCode::SUCCESS))
        }
        Err(error) => {
            let Failed(problem) = error.into();
            let text = format!("`{request}` was revoked, and something of it may still be there. {problem}");
            Ok(tell(&mut io::stderr(), &text, ExitCode::from(LEFT)))
        }
    }
}
