//! How a service fails.

/// Why a call of a service failed. A variant exists where somebody treats it differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// The name does not resolve.
    #[error("its host name does not resolve: {0}")]
    Unresolved(String),
    /// Nobody listens, or the network is closed.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The connection ended before the answer.
    #[error("it closed the connection: {0}")]
    Closed(String),
    /// TLS was spoken, and the port speaks plain text.
    #[error("the port does not speak TLS")]
    TlsToPlaintext,
    /// The answer is not HTTP, as where plain text was spoken to a port with TLS.
    #[error("the port does not speak plain HTTP")]
    NotHttp,
    /// Its certificate comes from an unknown authority.
    #[error("its certificate is signed by an unknown authority")]
    UnknownAuthority,
    /// Its certificate is not valid for its name or time.
    #[error("its certificate was not accepted: {0}")]
    Certificate(String),
    /// It asks for a client certificate, or did not accept the one that it got.
    #[error("it did not accept the client's certificate: {0}")]
    ClientCertificate(String),
    /// Other failures of TLS.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// What is configured cannot be used.
    #[error("{0}")]
    Material(String),
    /// 401.
    #[error("it wants to know who calls, or the credentials are wrong (HTTP 401)")]
    Unauthenticated,
    /// 403.
    #[error("the caller may not do that (HTTP 403)")]
    Forbidden,
    /// A redirection, a page or another answer that no such service gives.
    #[error("what answers is not such a service: {0}")]
    Strange(String),
    /// 429, or 503 with a time: it wants to be left alone for a while.
    #[error("it wants to be asked less often")]
    Busy {
        /// For how long, if it says so.
        after: Option<std::time::Duration>,
    },
    /// Whoever gives tokens gave none.
    #[error("there is no token to call it with: {0}")]
    Token(String),
    /// It failed by itself.
    #[error("it failed with HTTP {status}: {message}")]
    Broken {
        /// 500 to 599.
        status: u16,
        /// Its words.
        message: String,
    },
    /// It judged the request, and refused it.
    #[error("it answered HTTP {status}: {message}")]
    Refused {
        /// 400 to 499.
        status: u16,
        /// Its own number for the reason, if it has one.
        code: Option<i64>,
        /// Its words.
        message: String,
    },
    /// The answer has no end.
    #[error("its answer is too large")]
    TooLarge,
    /// The time was up.
    #[error("it did not answer in time")]
    Deadline,
}

impl RestError {
    /// Which setting of the service to change, or what else to do, in a sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unresolved(_) => "Correct the host in `url`.",
            Self::Unreachable(_) | Self::Closed(_) | Self::Deadline => {
                "Check that it runs and that `url` leads to it, and that no firewall or proxy is in between."
            }
            Self::TlsToPlaintext => "Begin `url` with `http://`, or find its port for TLS.",
            Self::NotHttp => "Begin `url` with `https://`, or correct its port.",
            Self::UnknownAuthority => "Set `tls = { ca = … }` to the authority that signed its certificate.",
            Self::Certificate(_) => "Have `url` name it as its certificate does, or have that renewed.",
            Self::ClientCertificate(_) => "Set `tls = { certificate = …, key = … }` to ones that it accepts.",
            Self::Tls(_) => "Compare the versions of TLS that it speaks with 1.2 and 1.3.",
            Self::Material(_) => "Correct that in the provider block.",
            Self::Busy { .. } => "Apply later, or have its limits raised.",
            Self::Token(_) => "Check `oauth`: its `token_url`, `client_id`, `client_secret` and `scope`.",
            Self::Unauthenticated => "Set or correct `username` and `password`, or `bearer_token`.",
            Self::Forbidden => "Give that user the right to do it, or use another one.",
            Self::Strange(_) => "Correct `url`: a login page, a proxy or another service may be there.",
            Self::Broken { .. } => "Look into its own log, and at the topics that it keeps its data in.",
            Self::Refused { .. } | Self::TooLarge => "Check that `url` leads to the service that is meant.",
        }
    }

    /// Whether the service itself may be as it should be, and only the caller is kept from seeing it.
    pub fn leaves_open(&self) -> bool {
        matches!(self, Self::Unauthenticated | Self::Forbidden | Self::Material(_) | Self::Token(_) | Self::Busy { .. })
    }
}
