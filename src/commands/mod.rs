//! What a person does with the program: the commands that are named on its command line.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | it was done |
//! | 1 | it failed, and standard error says why |
//! | 2 | the arguments have no meaning |
//! | 3 | a verification found something wrong, and standard output says what |

mod arguments;
mod journal;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use arguments::Asked;

/// The arguments have no meaning.
const MISUSED: u8 = 2;

/// Does what the arguments after the program's name say; `None` if they name no command.
pub fn main(arguments: impl Iterator<Item = String>) -> Option<ExitCode> {
    let arguments: Vec<String> = arguments.collect();
    Some(match arguments::read(&arguments)? {
        Asked::Help(text) => tell(&mut io::stdout(), text, ExitCode::SUCCESS),
        Asked::Misused(problem) => tell(&mut io::stderr(), &problem, ExitCode::from(MISUSED)),
        Asked::Journal(command) => journal::run(&command),
    })
}

fn tell(whom: &mut dyn Write, text: &str, code: ExitCode) -> ExitCode {
    // Whoever closed the stream does not want to know.
    let _ = writeln!(whom, "{}", text.trim_end());
    code
}
