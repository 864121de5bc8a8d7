//! The port to the SCRAM credentials that a cluster keeps of its users.
//!
//! A password is salted here, and neither it nor the salted form is kept, shown or logged.

use std::{
    collections::BTreeMap,
    fmt,
    num::NonZeroU32,
    ops::RangeInclusive,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::rand;
use bytes::Bytes;
use kafka_protocol::{
    error::ResponseError,
    messages::{
        AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest,
        alter_user_scram_credentials_request::{ScramCredentialDeletion, ScramCredentialUpsertion},
        describe_user_scram_credentials_request::UserName,
    },
};

use crate::clients::kafka::{
    Answer, ConnectProblem, KafkaError, KafkaSettings, Sasl, SaslMechanism, Secret,
    client::{Client, Target, Wired, in_time},
    connection::Connection,
    queue::{Gathered, Queue, gathered},
    requests::wire_text,
    sasl::scram,
    snapshot::Snapshot,
    topic_reads::all,
    trouble::{Asked, Tries, Trouble},
};

/// The SCRAM credentials of users. Nobody can read a password back, only that there is one.
pub trait ScramUsers: Send + Sync {
    /// The credentials of a user, for a refresh: from a snapshot of at most 30 s, which this client's own writes
    /// invalidate; empty if the user has none.
    fn refresh_scram_user<'a>(&'a self, user: &'a str, deadline: Instant) -> Answer<'a, ScramCredentials>;

    /// The credentials of a user, asked anew; empty if the user has none.
    fn scram_user<'a>(&'a self, user: &'a str, deadline: Instant) -> Answer<'a, ScramCredentials>;

    /// All users that have credentials, asked anew.
    fn scram_users(&self, deadline: Instant) -> Answer<'_, BTreeMap<String, ScramCredentials>>;

    /// Gives a user a password, instead of one that it has for the mechanism, and returns when a broker shows it.
    fn set_scram_credential<'a>(&'a self, credential: &'a NewScramCredential, deadline: Instant) -> Answer<'a, ()>;

    /// Removes a credential, and returns when a broker shows it no more. One that is gone already succeeds.
    fn delete_scram_credential<'a>(
        &'a self,
        user: &'a str,
        mechanism: ScramMechanism,
        deadline: Instant,
    ) -> Answer<'a, ()>;

    /// Tries whether a password is a user's, which nobody can read: logs in with it where the settings say to ask first, on
    /// a connection of its own, which is closed at once. How often it is to be hashed plays no part.
    fn log_in_as<'a>(&'a self, credential: &'a NewScramCredential, deadline: Instant) -> Answer<'a, LogIn>;
}

/// The credentials of one user: how often each password was hashed.
pub type ScramCredentials = BTreeMap<ScramMechanism, u32>;

/// How often Kafka lets a password be hashed.
pub const ITERATIONS: RangeInclusive<u32> = 4_096..=16_384;

/// The mechanisms of SCRAM that Kafka knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScramMechanism {
    /// `SCRAM-SHA-256`.
    Sha256,
    /// `SCRAM-SHA-512`.
    Sha512,
}

/// A password for a user, as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewScramCredential {
    /// Name of the user, without `User:`.
    pub user: String,
    /// The mechanism that it is for.
    pub mechanism: ScramMechanism,
    /// How often it is hashed, one of [`ITERATIONS`].
    pub iterations: u32,
    /// The password.
    pub password: Secret,
}

/// What came of logging in as a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogIn {
    /// The password is the user's.
    Succeeds,
    /// It is not, or the user has none for the mechanism.
    Fails,
    /// The listener does not let anybody log in with the mechanism. What it has instead, joined with commas, or `none`.
    NotOffered(String),
}

/// A text that names no mechanism of SCRAM.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SCRAM mechanism is `SCRAM-SHA-256` or `SCRAM-SHA-512`")]
pub struct ScramMechanismError;

impl ScramMechanism {
    const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// Kafka's code of it.
    fn code(self) -> i8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }

    /// How a client names it.
    fn of_sasl(self) -> SaslMechanism {
        match self {
            Self::Sha256 => SaslMechanism::ScramSha256,
            Self::Sha512 => SaslMechanism::ScramSha512,
        }
    }

    fn hash(self) -> scram::Hash {
        match self {
            Self::Sha256 => scram::SHA_256,
            Self::Sha512 => scram::SHA_512,
        }
    }
}

impl fmt::Display for ScramMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        })
    }
}

impl FromStr for ScramMechanism {
    type Err = ScramMechanismError;

    fn from_str(text: &str) -> Result<Self, ScramMechanismError> {
        Self::ALL.into_iter().find(|it| it.to_string() == text).ok_or(ScramMechanismError)
    }
}

/// The rights on the cluster that it takes to see credentials, and to change them.
const SEEING: Asked<'_> = Asked { operation: "DESCRIBE", name: "" };
const CHANGING: Asked<'_> = Asked { operation: "ALTER", name: "" };

/// How long a change may take to show on a broker until the controller's word is enough.
const SETTLING: Duration = Duration::from_secs(5);

/// What a client keeps of credentials.
#[derive(Default)]
pub(super) struct ScramQueues {
    alters: Queue<AlterUser>,
    describes: Queue<DescribeUser>,
    snapshot: Snapshot<BTreeMap<String, ScramCredentials>>,
}

/// A change of one credential of a user: Kafka takes one for each user in a request.
#[derive(Clone)]
struct AlterUser {
    user: String,
    mechanism: ScramMechanism,
    /// What it is set to; none to remove it.
    to: Option<Salted>,
}

/// What brokers are told of a password.
#[derive(Clone)]
struct Salted {
    iterations: u32,
    salt: Bytes,
    password: Bytes,
}

/// A look at one user.
struct DescribeUser(String);

impl ScramUsers for Wired {
    fn refresh_scram_user<'a>(&'a self, user: &'a str, deadline: Instant) -> Answer<'a, ScramCredentials> {
        self.told(self.0.refresh_scram_user(user, deadline))
    }

    fn scram_user<'a>(&'a self, user: &'a str, deadline: Instant) -> Answer<'a, ScramCredentials> {
        self.told(self.0.scram_user(user, deadline))
    }

    fn scram_users(&self, deadline: Instant) -> Answer<'_, BTreeMap<String, ScramCredentials>> {
        self.told(self.0.scram_users(deadline))
    }

    fn set_scram_credential<'a>(&'a self, credential: &'a NewScramCredential, deadline: Instant) -> Answer<'a, ()> {
        self.told(async move {
            let NewScramCredential { user, mechanism, iterations, password } = credential;
            let to = Some(salted(*mechanism, *iterations, password)?);
            self.0.alter_scram_user(AlterUser { user: user.clone(), mechanism: *mechanism, to }, deadline).await
        })
    }

    fn delete_scram_credential<'a>(
        &'a self,
        user: &'a str,
        mechanism: ScramMechanism,
        deadline: Instant,
    ) -> Answer<'a, ()> {
        self.told(self.0.alter_scram_user(AlterUser { user: user.to_owned(), mechanism, to: None }, deadline))
    }

    fn log_in_as<'a>(&'a self, credential: &'a NewScramCredential, deadline: Instant) -> Answer<'a, LogIn> {
        self.told(self.0.log_in_as(credential, deadline))
    }
}

/// A password with a salt of its own.
fn salted(mechanism: ScramMechanism, iterations: u32, password: &Secret) -> Result<Salted, KafkaError> {
    let refused =
        |code: &str, message: &str| KafkaError::Refused { code: code.to_owned(), message: message.to_owned() };
    let rounds = NonZeroU32::new(iterations).filter(|it| ITERATIONS.contains(&it.get()));
    let rounds =
        rounds.ok_or_else(|| refused("UNACCEPTABLE_CREDENTIAL", "the iterations are not between 4096 and 16384"))?;
    let mut salt = [0; 32];
    rand::fill(&mut salt).map_err(|_| refused("UNKNOWN_SERVER_ERROR", "the system has no random numbers"))?;
    let password = scram::salted(mechanism.hash(), password.expose(), &salt, rounds);
    Ok(Salted { iterations, salt: Bytes::copy_from_slice(&salt), password: password.into() })
}

impl Client {
    async fn refresh_scram_user(&self, user: &str, deadline: Instant) -> Result<ScramCredentials, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading SCRAM credentials".to_owned());
        loop {
            let read =
                self.scram.snapshot.since(self.scram.snapshot.fresh(), self.described_scram(Vec::new(), deadline));
            match in_time(deadline, Box::pin(read)).await {
                Ok(all) => return Ok(all.get(user).cloned().unwrap_or_default()),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    async fn scram_user(self: &Arc<Self>, user: &str, deadline: Instant) -> Result<ScramCredentials, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading SCRAM credentials".to_owned());
        loop {
            match gathered(self, |it| &it.scram.describes, DescribeUser(user.to_owned()), deadline).await {
                Ok(it) => return Ok(it),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    async fn scram_users(&self, deadline: Instant) -> Result<BTreeMap<String, ScramCredentials>, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading SCRAM credentials".to_owned());
        loop {
            match self.described_scram(Vec::new(), deadline).await {
                Ok(it) => return Ok(it),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    /// The credentials of these users, or of all if none is named. Whoever has none is not in the answer.
    async fn described_scram(
        &self,
        users: Vec<UserName>,
        deadline: Instant,
    ) -> Result<BTreeMap<String, ScramCredentials>, Trouble> {
        // Null names all users, too; but to a caller who may not see them, brokers then close the connection.
        let request = DescribeUserScramCredentialsRequest::default().with_users(Some(users));
        let answer = self.call(Target::Any, deadline, |_| Ok(request)).await?;
        if let Some(trouble) = Trouble::of_code(answer.error_code, answer.error_message.as_deref(), SEEING) {
            return Err(trouble);
        }
        let mut res = BTreeMap::new();
        for it in answer.results.into_iter().filter(|it| it.error_code != ResponseError::ResourceNotFound.code()) {
            if let Some(trouble) = Trouble::of_code(it.error_code, it.error_message.as_deref(), SEEING) {
                return Err(trouble);
            }
            // A mechanism of tomorrow is nobody's here.
            let known = it.credential_infos.iter().filter_map(|it| {
                let mechanism = ScramMechanism::ALL.into_iter().find(|known| known.code() == it.mechanism)?;
                Some((mechanism, u32::try_from(it.iterations).ok()?))
            });
            res.insert(it.user.to_string(), known.collect());
        }
        Ok(res)
    }

    async fn alter_scram_user(self: &Arc<Self>, asked: AlterUser, deadline: Instant) -> Result<(), KafkaError> {
        self.scram.snapshot.touch();
        let res = self.sent_scram_user(&asked, deadline).await;
        if res.is_ok() {
            self.await_scram_user(&asked, deadline.min(Instant::now() + SETTLING)).await;
        }
        self.scram.snapshot.touch();
        res
    }

    /// A change that was made all the same is no trouble to the next try.
    async fn sent_scram_user(self: &Arc<Self>, asked: &AlterUser, deadline: Instant) -> Result<(), KafkaError> {
        let mut tries = Tries::new(deadline, || "changing a SCRAM credential".to_owned());
        loop {
            match gathered(self, |it| &it.scram.alters, asked.clone(), deadline).await {
                Ok(()) => return Ok(()),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    async fn log_in_as(&self, credential: &NewScramCredential, deadline: Instant) -> Result<LogIn, KafkaError> {
        let NewScramCredential { user, mechanism, iterations: _, password } = credential;
        let sasl = Sasl { mechanism: mechanism.of_sasl(), username: user.clone(), password: password.clone() };
        let settings = KafkaSettings { sasl: Some(sasl), ..self.settings.clone() };
        // Servers that close the connection instead of an answer are tried no longer than those that start.
        let deadline = deadline.min(Instant::now() + SETTLING);
        let mut tries = Tries::new(deadline, || format!("logging in as `{user}`"));
        loop {
            match in_time(deadline, self.logged_in(&settings)).await {
                Ok(it) => return Ok(it),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    /// What the first of the bootstrap servers says that says anything.
    async fn logged_in(&self, settings: &KafkaSettings) -> Result<LogIn, Trouble> {
        let mut last = Trouble::Final(KafkaError::Unsupported("a client without bootstrap servers".to_owned()));
        for broker in &settings.bootstrap_servers {
            let tls = self.tls(broker).map_err(Trouble::Final)?;
            let problem = match Connection::open(broker, settings, tls.as_ref()).await {
                Ok(_) => return Ok(LogIn::Succeeds),
                Err(KafkaError::Connect { problem, .. }) => problem,
                Err(error) => return Err(Trouble::Final(error)),
            };
            match problem {
                ConnectProblem::Authentication(_) => return Ok(LogIn::Fails),
                ConnectProblem::Mechanism { offered, .. } => return Ok(LogIn::NotOffered(offered)),
                problem => {
                    let may_pass = problem.may_pass();
                    let error = KafkaError::Connect { broker: broker.clone(), problem };
                    last = if may_pass { Trouble::Again(error) } else { Trouble::Final(error) };
                }
            }
        }
        Err(last)
    }

    /// Waits until a broker shows a change that the controller has made. It is made all the same if none does in time,
    /// or if the caller may not see it. Another password of as many iterations looks like the one before.
    async fn await_scram_user(self: &Arc<Self>, asked: &AlterUser, until: Instant) {
        let expected = asked.to.as_ref().map(|it| it.iterations);
        let mut tries = Tries::looking(until, String::new);
        loop {
            let look = DescribeUser(asked.user.clone());
            let trouble = match gathered(self, |it| &it.scram.describes, look, until).await {
                Ok(shown) if shown.get(&asked.mechanism).copied() == expected => return,
                Ok(_) => Trouble::Again(KafkaError::Deadline(String::new())),
                Err(trouble) => trouble,
            };
            if tries.next(trouble).await.is_err() {
                return;
            }
        }
    }
}

impl Gathered for DescribeUser {
    type Answer = ScramCredentials;
    type Key = String;
    const CAPACITY: usize = 1_000;

    fn key(&self) -> &String {
        &self.0
    }

    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<ScramCredentials, Trouble>> {
        let users = asked.iter().map(|it| UserName::default().with_name(wire_text(&it.0)));
        match client.described_scram(users.collect(), deadline).await {
            Ok(mut found) => asked.iter().map(|it| Ok(found.remove(&it.0).unwrap_or_default())).collect(),
            Err(trouble) => all(asked.len(), &trouble),
        }
    }
}

impl Gathered for AlterUser {
    type Answer = ();
    type Key = String;
    const CAPACITY: usize = 1_000;

    fn key(&self) -> &String {
        &self.user
    }

    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<(), Trouble>> {
        let deletions = asked.iter().filter(|it| it.to.is_none()).map(|it| {
            let deletion = ScramCredentialDeletion::default().with_name(wire_text(&it.user));
            deletion.with_mechanism(it.mechanism.code())
        });
        let upsertions = asked.iter().filter_map(|it| {
            let Salted { iterations, salt, password } = it.to.clone()?;
            let upsertion = ScramCredentialUpsertion::default().with_name(wire_text(&it.user));
            let upsertion = upsertion.with_mechanism(it.mechanism.code()).with_iterations(iterations.cast_signed());
            Some(upsertion.with_salt(salt).with_salted_password(password))
        });
        let request = AlterUserScramCredentialsRequest::default()
            .with_deletions(deletions.collect())
            .with_upsertions(upsertions.collect());
        let answer = match client.call(Target::Controller, deadline, |_| Ok(request)).await {
            Ok(it) => it,
            Err(trouble) => return all(asked.len(), &trouble),
        };
        let mut said = BTreeMap::new();
        for it in answer.results {
            if it.error_code == ResponseError::NotController.code() {
                client.forget_controller();
            }
            said.insert(it.user.to_string(), (it.error_code, it.error_message));
        }
        let outcome = |it: &Self| match said.remove(&it.user) {
            // It is gone already.
            Some((code, _)) if it.to.is_none() && code == ResponseError::ResourceNotFound.code() => Ok(()),
            Some((code, message)) => Trouble::of_code(code, message.as_deref(), CHANGING).map_or(Ok(()), Err),
            None => Err(Trouble::unanswered("the user that it was asked about")),
        };
        asked.iter().map(outcome).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mechanisms_are_kafkas_names() {
        for it in ScramMechanism::ALL {
            assert_eq!(it.to_string().parse(), Ok(it));
        }
        assert_eq!("PLAIN".parse::<ScramMechanism>(), Err(ScramMechanismError));
    }

    #[test]
    fn a_password_is_salted_anew_each_time_and_never_as_it_was() {
        let password = Secret::new("hunter2");
        let salted = || salted(ScramMechanism::Sha512, 4_096, &password).unwrap();
        let (one, other) = (salted(), salted());
        assert_ne!(one.salt, other.salt);
        assert_ne!(one.password, other.password);
        assert_eq!((one.salt.len(), one.password.len()), (32, 64));
    }

    #[test]
    fn iterations_that_kafka_does_not_take_are_refused() {
        for iterations in [0, 4_095, 16_385, u32::MAX] {
            let res = salted(ScramMechanism::Sha256, iterations, &Secret::new("x")).map(drop);
            assert!(matches!(res, Err(KafkaError::Refused { .. })), "{iterations}");
        }
    }
}
