//! Whom a quota is for, as one text: `user=alice,client-id=app`, with `<default>` for all others of a kind.

use std::{fmt, str::FromStr};

use crate::clients::kafka::{QuotaEntity, QuotaName};

/// A kind of which all that have no quota of their own are meant. A name cannot look like it: its `<` is escaped.
const DEFAULT: &str = "<default>";

/// What separates parts of the text, and of identifiers, each with how a name has it.
const ESCAPES: [(char, &str); 4] = [('%', "%25"), (',', "%2C"), ('/', "%2F"), ('<', "%3C")];

/// An entity and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntityName(pub(super) QuotaEntity);

/// A text that names no entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoEntity;

impl EntityName {
    /// The environment, unless it is the default one, and the entity in an identifier: `<environment>/<entity>`, or
    /// `<entity>`.
    pub(super) fn identified(id: &str) -> Result<(Option<&str>, Self), NoEntity> {
        match id.split_once('/') {
            Some((environment, entity)) => Ok((Some(environment), entity.parse()?)),
            None => Ok((None, id.parse()?)),
        }
    }

    /// What it is noted under.
    pub(super) fn object(&self) -> String {
        format!("quota/{self}")
    }
}

impl fmt::Display for EntityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.parts().map(|(kind, name)| format!("{kind}={}", written(name))).collect();
        f.write_str(&parts.join(","))
    }
}

impl FromStr for EntityName {
    type Err = NoEntity;

    fn from_str(text: &str) -> Result<Self, NoEntity> {
        let mut res = QuotaEntity::default();
        for part in text.split(',') {
            let (kind, name) = part.split_once('=').ok_or(NoEntity)?;
            let slot = match kind {
                "user" => &mut res.user,
                "client-id" => &mut res.client_id,
                "ip" => &mut res.ip,
                _ => return Err(NoEntity),
            };
            if slot.replace(read(name)?).is_some() {
                return Err(NoEntity);
            }
        }
        Ok(Self(res))
    }
}

fn written(name: &QuotaName) -> String {
    let QuotaName::Named(name) = name else { return DEFAULT.to_owned() };
    ESCAPES.iter().fold(name.clone(), |text, (it, escape)| text.replace(*it, escape))
}

fn read(text: &str) -> Result<QuotaName, NoEntity> {
    match text {
        DEFAULT => Ok(QuotaName::Default),
        "" => Err(NoEntity),
        // `%` was escaped first, and comes last.
        _ => {
            let name =
                ESCAPES.iter().rev().fold(text.to_owned(), |text, (it, escape)| text.replace(escape, &it.to_string()));
            Ok(QuotaName::Named(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> QuotaName {
        QuotaName::Named(name.to_owned())
    }

    #[test]
    fn entities_are_written_and_read_alike() {
        let default = || Some(QuotaName::Default);
        for (text, user, client_id, ip) in [
            ("user=alice", Some(named("alice")), None, None),
            ("user=alice,client-id=<default>", Some(named("alice")), default(), None),
            ("user=<default>,client-id=app", default(), Some(named("app")), None),
            ("client-id=%3Cdefault>", None, Some(named("<default>")), None),
            ("user=CN=c%2CO=d%2Fe%252C", Some(named("CN=c,O=d/e%2C")), None, None),
            ("ip=::1", None, None, Some(named("::1"))),
        ] {
            let entity = EntityName(QuotaEntity { user, client_id, ip });
            assert_eq!(entity.to_string(), text);
            assert_eq!(text.parse(), Ok(entity), "{text}");
        }
        for text in ["", "alice", "user=", "group=a", "user=a,user=b", "user=a,"] {
            assert_eq!(text.parse::<EntityName>(), Err(NoEntity), "{text}");
        }
    }

    #[test]
    fn identifiers_may_name_an_environment() {
        let entity: EntityName = "user=a%2Fb".parse().unwrap();
        assert_eq!(EntityName::identified("dev/user=a%2Fb"), Ok((Some("dev"), entity.clone())));
        assert_eq!(EntityName::identified("user=a%2Fb"), Ok((None, entity)));
        assert_eq!(EntityName::identified("dev/alice"), Err(NoEntity));
    }
}
