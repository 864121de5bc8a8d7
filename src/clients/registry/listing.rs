//! The list of all subjects, for those who look at many of them.

use std::{collections::BTreeMap, time::Instant};

use reqwest::Method;
use serde_json::Value;

use super::{Registered, RegistryError, SchemaRegistry, answers::Answered};
use crate::{
    clients::rest::{Request, RestError},
    governance::subject::SubjectName,
};

/// So many subjects are asked for one by one.
pub(super) const FEW: usize = 4;

/// Schemas that are asked for at once.
const PAGE: usize = 1_000;

/// More schemas than that are not kept: whoever has them is asked for those that are looked at.
const MOST: usize = 20_000;

/// The newest version of every subject, page by page; `None` where there are too many, where the registry does not say
/// whose schemas it lists, or fails to list them: single subjects may be answered all the same.
pub(super) async fn list(
    registry: &SchemaRegistry,
    deadline: Instant,
) -> Result<Option<BTreeMap<SubjectName, Registered>>, RegistryError> {
    let mut res = BTreeMap::new();
    loop {
        let query = [("latestOnly", "true".to_owned()), ("offset", res.len().to_string()), ("limit", PAGE.to_string())];
        let request = Request { method: Method::GET, path: "schemas".to_owned(), query: query.into(), body: None };
        let page = match registry.rest.send(&request, deadline).await {
            Ok(Value::Array(it)) => it,
            Err(error) if is_of_all(&error) => return Err(error.into()),
            Ok(_) | Err(_) => return Ok(None),
        };
        let (before, count) = (res.len(), page.len());
        for it in page {
            let Ok(it) = Answered(it).registered() else { return Ok(None) };
            res.insert(it.subject.clone(), it);
        }
        if MOST < res.len() {
            return Ok(None);
        }
        // A registry without pages gives all, or the same again.
        if count < PAGE || PAGE < count || res.len() == before {
            return Ok(Some(res));
        }
    }
}

/// Whether a failure is that of every question, so that asking for each subject would only take longer.
fn is_of_all(error: &RestError) -> bool {
    use RestError as E;
    match error {
        E::Unresolved(_)
        | E::Unreachable(_)
        | E::TlsToPlaintext
        | E::NotHttp
        | E::UnknownAuthority
        | E::Certificate(_)
        | E::ClientCertificate(_)
        | E::Tls(_)
        | E::Material(_)
        | E::Unauthenticated
        | E::Token(_) => true,
        E::Closed(_)
        | E::Forbidden
        | E::Strange(_)
        | E::Busy { .. }
        | E::Broken { .. }
        | E::Refused { .. }
        | E::TooLarge
        | E::Deadline => false,
    }
}
