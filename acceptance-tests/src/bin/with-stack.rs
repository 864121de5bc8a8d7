//! `with-stack PROGRAM`: starts a broker, runs the program with OpenTofu and the broker's address as arguments, and ends
//! the broker.

use std::{
    env,
    io::{self, Write},
    process::{Command, ExitCode},
};

use acceptance_tests::{Engine, Stack};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            // Nobody reads what cannot be written.
            let _ = writeln!(io::stderr(), "{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, String> {
    let program = env::args_os().nth(1).ok_or("with-stack PROGRAM")?;
    let engine = Engine::open_tofu()?;
    let stack = Stack::start()?;
    let mut command = Command::new(program);
    command.arg(engine.command().get_program()).arg(stack.plaintext_socket().to_string());
    Ok(command.status().map_err(|problem| format!("{command:?}: {problem}"))?.success())
}
