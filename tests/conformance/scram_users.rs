//! What every cluster answers about the SCRAM credentials of users.

use terraform_provider_kafka::clients::kafka::{
    KafkaError, LogIn, NewScramCredential, ScramCredentials, ScramMechanism, Secret,
};

use super::{Subject, refusal, soon};

use ScramMechanism::{Sha256, Sha512};

impl Subject {
    async fn set_password(&self, user: &str, mechanism: ScramMechanism, iterations: u32) -> Result<(), KafkaError> {
        let (user, password) = (user.to_owned(), Secret::new("correct horse"));
        let credential = NewScramCredential { user, mechanism, iterations, password };
        self.kafka.set_scram_credential(&credential, soon()).await
    }

    async fn assert_user(&self, user: &str, expected: &[(ScramMechanism, u32)]) {
        let expected: ScramCredentials = expected.iter().copied().collect();
        assert_eq!(self.kafka.refresh_scram_user(user, soon()).await, Ok(expected.clone()), "{user}");
        assert_eq!(self.kafka.scram_user(user, soon()).await, Ok(expected.clone()), "{user}");
        let all = self.kafka.scram_users(soon()).await.unwrap();
        assert_eq!(all.get(user).cloned().unwrap_or_default(), expected, "{user}");
    }
}

pub(super) async fn a_user_has_a_password_for_each_mechanism(on: &Subject) {
    let user = format!("conformance.{}.both", on.prefix);
    on.assert_user(&user, &[]).await;
    on.set_password(&user, Sha256, 4_096).await.unwrap();
    on.assert_user(&user, &[(Sha256, 4_096)]).await;
    on.set_password(&user, Sha512, 16_384).await.unwrap();
    on.set_password(&user, Sha256, 8_192).await.unwrap();
    on.assert_user(&user, &[(Sha256, 8_192), (Sha512, 16_384)]).await;
    on.kafka.delete_scram_credential(&user, Sha256, soon()).await.unwrap();
    on.assert_user(&user, &[(Sha512, 16_384)]).await;
    on.kafka.delete_scram_credential(&user, Sha256, soon()).await.unwrap();
    on.kafka.delete_scram_credential(&user, Sha512, soon()).await.unwrap();
    on.assert_user(&user, &[]).await;
}

pub(super) async fn a_password_is_tried_by_logging_in_with_it(on: &Subject) {
    let user = format!("conformance.{}.tried", on.prefix);
    on.set_password(&user, Sha256, 4_096).await.unwrap();
    let tried = async |user: &str, mechanism, password| {
        let (user, password) = (user.to_owned(), Secret::new(password));
        let credential = NewScramCredential { user, mechanism, iterations: 4_096, password };
        on.kafka.log_in_as(&credential, soon()).await.unwrap()
    };
    let right = tried(&user, Sha256, "correct horse").await;
    let wrong = [
        tried(&user, Sha256, "wrong horse").await,
        tried(&user, Sha512, "correct horse").await,
        tried(&format!("{user}-nobody"), Sha256, "correct horse").await,
    ];
    let expected = match &right {
        LogIn::NotOffered(_) => right.clone(),
        LogIn::Succeeds | LogIn::Fails => LogIn::Fails,
    };
    assert_ne!(right, LogIn::Fails);
    assert_eq!(wrong, [(); 3].map(|()| expected.clone()));
    on.kafka.delete_scram_credential(&user, Sha256, soon()).await.unwrap();
}

pub(super) async fn both_passwords_of_a_user_may_be_set_at_once(on: &Subject) {
    let user = format!("conformance.{}.at-once", on.prefix);
    let both = tokio::join!(on.set_password(&user, Sha256, 4_096), on.set_password(&user, Sha512, 4_096));
    assert_eq!(both, (Ok(()), Ok(())));
    on.assert_user(&user, &[(Sha256, 4_096), (Sha512, 4_096)]).await;
    let deleted = |mechanism| on.kafka.delete_scram_credential(&user, mechanism, soon());
    assert_eq!(tokio::join!(deleted(Sha256), deleted(Sha512)), (Ok(()), Ok(())));
    on.assert_user(&user, &[]).await;
}

pub(super) async fn a_credential_that_cannot_be_is_refused(on: &Subject) {
    let user = format!("conformance.{}.wrong", on.prefix);
    for (user, iterations) in [(user.as_str(), 4_095), (user.as_str(), 16_385), ("", 4_096)] {
        let refused = refusal(on.set_password(user, Sha256, iterations).await);
        assert_eq!(refused, "UNACCEPTABLE_CREDENTIAL", "{user} {iterations}");
    }
    on.assert_user(&user, &[]).await;
}

pub(super) async fn many_credentials_at_once_are_each_answered_for_their_own_user(on: &Subject) {
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (kafka, user) = (on.kafka.clone(), format!("conformance.{}.many-{number}", on.prefix));
        let iterations = if number == 7 { 1 } else { 4_096 + number };
        calls.spawn(async move {
            let credential =
                NewScramCredential { user, mechanism: Sha512, iterations, password: Secret::new("correct horse") };
            let set = kafka.set_scram_credential(&credential, soon()).await;
            if number == 7 {
                assert_eq!(refusal(set), "UNACCEPTABLE_CREDENTIAL");
                return;
            }
            set.unwrap();
            let shown = kafka.scram_user(&credential.user, soon()).await.unwrap();
            assert_eq!(shown, ScramCredentials::from([(Sha512, iterations)]));
            kafka.delete_scram_credential(&credential.user, Sha512, soon()).await.unwrap();
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
}
