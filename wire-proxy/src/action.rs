//! What a script may do with a request.

use std::{fmt, time::Duration};

use bytes::Bytes;

/// Takes the body of a broker's answer, without its header, and returns the body that the client gets.
pub type AnswerRewrite = Box<dyn FnOnce(Bytes) -> Bytes + Send>;

/// What happens to one request. Where the connection ends, requests that the client sent earlier on it are answered
/// first, and requests that it sent later are neither counted nor forwarded.
pub enum Action {
    /// The broker gets the request and the client its answer.
    Forward,
    /// The broker never sees the request, and the client waits in vain on an open connection. Nor is a later request on
    /// it answered, since a broker answers in order; the script is not asked about those.
    Drop,
    /// The connection ends; the broker never sees the request.
    CutBefore,
    /// The broker gets the request and answers; the connection ends before the client sees the answer.
    CutAfter,
    /// The process with this id is killed (SIGKILL) and the connection ends; the broker never sees the request.
    KillBefore(u32),
    /// The broker gets the request and answers; then the process with this id is killed (SIGKILL) and the connection
    /// ends.
    KillAfter(u32),
    /// The broker gets the request; the client gets its answer this much later than [`crate::WireProxy::delay`] would
    /// have it. Later answers on the same connection wait their turn.
    Delay(Duration),
    /// The broker never sees the request; the client gets an answer with this body. The proxy adds the frame's length
    /// and the header.
    Answer(Bytes),
    /// The broker never sees the request; the client gets these bytes as they are, without a length or a header, and the
    /// connection stays open.
    AnswerRaw(Bytes),
    /// The broker gets the request; the client gets the body that the function makes of the broker's, with addresses of
    /// brokers already replaced.
    RewriteAnswer(AnswerRewrite),
}

impl Action {
    /// A [`Action::RewriteAnswer`] from any closure.
    pub fn rewrite(rewrite: impl FnOnce(Bytes) -> Bytes + Send + 'static) -> Self {
        Self::RewriteAnswer(Box::new(rewrite))
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Forward => "Forward",
            Self::Drop => "Drop",
            Self::CutBefore => "CutBefore",
            Self::CutAfter => "CutAfter",
            Self::KillBefore(_) => "KillBefore",
            Self::KillAfter(_) => "KillAfter",
            Self::Delay(_) => "Delay",
            Self::Answer(_) => "Answer",
            Self::AnswerRaw(_) => "AnswerRaw",
            Self::RewriteAnswer(_) => "RewriteAnswer",
        })
    }
}
