//! `data.kafka_user_scram_credentials`: who has a password of SCRAM.

use crate::{
    clients::kafka::ScramMechanism,
    framework::{Call, Computed, DataSource, Failure, Model, Nested, Optional, OptionalComputed},
    provider::Context,
};

/// Who has a password for which mechanism of SCRAM, in the order of users and mechanisms. Passwords are told to nobody.
///
/// It takes the right to DESCRIBE the cluster, and Kafka 2.7.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct UserScramCredentialsModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Name of the environment, the same as `environment`.
    id: Computed<String>,
    /// Name of the user whose credentials are shown, without `User:`. Default: all users.
    username: Optional<String>,
    /// The credentials.
    credentials: Computed<Vec<Nested<CredentialModel>>>,
}

/// A credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct CredentialModel {
    /// Name of the user.
    username: Computed<String>,
    /// `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    scram_mechanism: Computed<ScramMechanism>,
    /// How often the password is hashed.
    scram_iterations: Computed<u32>,
}

/// The data source.
#[derive(Debug)]
pub enum UserScramCredentials {}

impl DataSource<Context> for UserScramCredentials {
    const NAME: &'static str = "user_scram_credentials";
    type Model = UserScramCredentialsModel;

    async fn read(
        ctx: &Context,
        config: UserScramCredentialsModel,
        call: &mut Call,
    ) -> Result<UserScramCredentialsModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let kafka = environment.kafka()?;
        let users = match config.username.get() {
            Some(user) => [(user.clone(), kafka.scram_user(user, call.deadline).await?)].into(),
            None => kafka.scram_users(call.deadline).await?,
        };
        let credential = |user: &str, (mechanism, iterations)| CredentialModel {
            username: user.to_owned().into(),
            scram_mechanism: Computed::from(mechanism),
            scram_iterations: Computed::from(iterations),
        };
        let credentials = users.iter().flat_map(|(user, it)| {
            it.iter().map(move |(mechanism, iterations)| Nested::from(credential(user, (*mechanism, *iterations))))
        });
        Ok(UserScramCredentialsModel {
            environment: environment.name.clone().into(),
            id: environment.name.clone().into(),
            credentials: credentials.collect::<Vec<_>>().into(),
            ..config
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use crate::{
        clients::{
            kafka::{NewScramCredential, ScramMechanism, ScramUsers, Secret},
            memory::MemoryCluster,
        },
        data_sources::testing::{read, soon},
        framework::Value,
        governance::acl::Principal,
    };

    #[tokio::test]
    async fn users_are_shown_with_mechanisms_and_iterations_and_no_password() {
        let cluster = Arc::new(MemoryCluster::new(1));
        for (user, mechanism) in [
            ("sales", ScramMechanism::Sha512),
            ("billing", ScramMechanism::Sha512),
            ("billing", ScramMechanism::Sha256),
        ] {
            let (user, password) = (user.to_owned(), Secret::new("hunter2"));
            let credential = NewScramCredential { user, mechanism, iterations: 8192, password };
            cluster.set_scram_credential(&credential, soon()).await.unwrap();
        }
        let shown = async |config| {
            let (state, report) = read(&cluster, "user_scram_credentials", &config).await;
            assert_eq!(report.0, vec![]);
            assert!(!format!("{state:?}").contains("hunter2"));
            let Value::List(credentials) = state.attribute("credentials") else { unreachable!("a list") };
            let text = |it: &Value| format!("{:?} {:?}", it.attribute("username"), it.attribute("scram_mechanism"));
            assert!(credentials.iter().all(|it| it.attribute("scram_iterations") == &8192.into()));
            credentials.iter().map(|it| text(it).replace("String(\"", "").replace("\")", "")).collect::<Vec<_>>()
        };
        let of_billing = ["billing SCRAM-SHA-256", "billing SCRAM-SHA-512"];
        assert_eq!(shown(json!({})).await, [&of_billing[..], &["sales SCRAM-SHA-512"]].concat());
        assert_eq!(shown(json!({ "username": "billing" })).await, of_billing);
        assert_eq!(shown(json!({ "username": "nobody" })).await, Vec::<String>::new());

        let stranger = Arc::new(cluster.seen_by(Principal::user("stranger")));
        let (_, report) = read(&stranger, "user_scram_credentials", &json!({})).await;
        assert_eq!(report.0[0].summary, "Not permitted by Kafka");
    }
}
