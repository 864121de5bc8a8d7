//! Between the model of an application and what governance calls one.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ApplicationModel, ClientQuotaModel, Entry, Moment, OfferedModel, OwnerModel, PrefixesModel, TransferModel,
    rejection::status,
};
use crate::{
    framework::{Attribute, Nested, Number, Optional, OptionalComputed, Set, Unknown},
    governance::{
        application::{ApplicationSpec, Offer, Prefixes},
        client_quota::ClientQuota,
        kind::Kind,
        state::State,
    },
    resources::totals::TotalsModel,
};

impl ApplicationModel {
    /// The state after a look at the journal, in its own words where they mean what is there. Free text is read for an
    /// import alone: it is not in what plans read.
    pub(super) fn seen(self, found: &Entry, known: &State, texts: Option<&BTreeMap<String, String>>) -> Self {
        let declared = found.amendment.as_ref().unwrap_or(&found.spec);
        let (contact, description) = match (texts, self.owner.get()) {
            (Some(texts), _) => (texts.get("contact").cloned().into(), texts.get("description").cloned().into()),
            (None, owner) => (owner.map(|it| it.model.contact.clone()).unwrap_or_default(), self.description.clone()),
        };
        let offer = found.offer.as_ref();
        let is_offered = self.transfer.get().is_some_and(|it| offer.is_some_and(|offer| it.model.is(offer)));
        Self {
            name: declared.name.clone().into(),
            code: declared.code.clone().into(),
            owner: Nested::from(OwnerModel { team: declared.team.clone().into(), contact }).into(),
            description,
            labels: kept(self.labels, BTreeMap::is_empty, &declared.labels),
            principals: kept_set(self.principals, &declared.principals),
            deployers: kept_set(self.deployers, &declared.deployers),
            prefixes: PrefixesModel::of(&declared.prefixes).into(),
            streams: kept_set(self.streams, &declared.streams),
            capacity: match self.capacity.get().map(|it| it.model.totals()) {
                Some(Ok(own)) if own == declared.capacity => self.capacity,
                _ => TotalsModel::of(&declared.capacity).into(),
            },
            client_quota: match self.client_quota.get().map(|it| it.model.limits()) {
                Some(Ok(own)) if own == declared.client_quota => self.client_quota,
                _ => ClientQuotaModel::of(&declared.client_quota).into(),
            },
            expires_at: match self.expires_at.get() {
                Some(own) if Some(own.at) == declared.expires_at => self.expires_at,
                _ => declared.expires_at.and_then(Moment::utc).into(),
            },
            transfer: match offer {
                Some(_) if is_offered => self.transfer,
                Some(offer) if !offer.is_confirmed => TransferModel::of(offer).into(),
                _ => Optional::default(),
            },
            status: status(found, known).to_owned().into(),
            request_id: found.waits_by().map(ToString::to_string).into(),
            ..self
        }
    }

    /// What is declared. Kinds without prefixes are left to the environment's template.
    pub(super) fn spec(&self) -> Result<ApplicationSpec, Unknown> {
        let owner = &self.owner.value()?.model;
        let prefixes = self.prefixes.known()?.map(|it| it.model.declared()).transpose()?;
        Ok(ApplicationSpec {
            code: self.code.known()?.cloned(),
            team: owner.team.value()?.clone(),
            labels: self.labels.known()?.cloned().unwrap_or_default(),
            principals: elements(&self.principals)?,
            deployers: elements(&self.deployers)?,
            prefixes: prefixes.unwrap_or_default(),
            streams: elements(&self.streams)?,
            capacity: self.capacity.known()?.map(|it| it.model.totals()).transpose()?.unwrap_or_default(),
            client_quota: self.client_quota.known()?.map(|it| it.model.limits()).transpose()?.unwrap_or_default(),
            expires_at: self.expires_at.known()?.map(|it| it.at),
            ..ApplicationSpec::new(self.name.value()?.clone())
        })
    }

    /// The free text, which can be erased.
    pub(super) fn texts(&self) -> Result<BTreeMap<String, String>, Unknown> {
        let contact = self.owner.value()?.model.contact.known()?.cloned();
        let texts = [("contact", contact), ("description", self.description.known()?.cloned())];
        Ok(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?))).collect())
    }
}

/// The words of the state where they mean what is there; nothing where there is nothing.
fn kept<T: Attribute + Clone + PartialEq>(own: Optional<T>, is_empty: fn(&T) -> bool, actual: &T) -> Optional<T> {
    match own.get() {
        Some(it) if it == actual => own,
        _ => Some(actual.clone()).filter(|it| !is_empty(it)).into(),
    }
}

fn kept_set<T: Attribute + Clone + Ord>(own: Optional<Set<T>>, actual: &BTreeSet<T>) -> Optional<Set<T>> {
    match own.get() {
        Some(it) if it.0.iter().eq(actual.iter()) || it.0.iter().cloned().collect::<BTreeSet<_>>() == *actual => own,
        _ => Some(Set(actual.iter().cloned().collect())).filter(|it: &Set<T>| !it.0.is_empty()).into(),
    }
}

impl TransferModel {
    fn of(offer: &Offer) -> Nested<Self> {
        Nested::from(Self { to: offer.to.clone().into(), prefixes: OfferedModel::of(&offer.prefixes).into() })
    }

    fn is(&self, offer: &Offer) -> bool {
        let prefixes = self.prefixes.get().map(|it| it.model.prefixes());
        self.to.get() == Some(&offer.to) && prefixes == Some(Ok(offer.prefixes.clone()))
    }
}

fn elements<T: Clone + Ord>(set: &Optional<Set<T>>) -> Result<BTreeSet<T>, Unknown> {
    Ok(set.known()?.into_iter().flat_map(|it| it.0.iter().cloned()).collect())
}

impl PrefixesModel {
    /// The prefixes that are declared, by kind.
    fn declared(&self) -> Result<Prefixes, Unknown> {
        let mut res = Prefixes::new();
        for (kind, prefixes) in self.by_kind() {
            if let Some(prefixes) = prefixes.known()? {
                res.insert(kind, prefixes.0.iter().cloned().collect());
            }
        }
        Ok(res)
    }

    /// The prefixes of each kind.
    pub(super) fn by_kind(&self) -> [(Kind, &OptionalComputed<Set<String>>); 5] {
        let Self { topic, group, transactional_id, subject, connector } = self;
        [
            (Kind::Topic, topic),
            (Kind::Group, group),
            (Kind::TransactionalId, transactional_id),
            (Kind::Subject, subject),
            (Kind::Connector, connector),
        ]
    }

    /// All prefixes, as they are in force.
    pub(super) fn of(prefixes: &Prefixes) -> Nested<Self> {
        let of = |kind: Kind| -> OptionalComputed<Set<String>> {
            Set(prefixes.get(&kind).into_iter().flatten().cloned().collect()).into()
        };
        Nested::from(Self {
            topic: of(Kind::Topic),
            group: of(Kind::Group),
            transactional_id: of(Kind::TransactionalId),
            subject: of(Kind::Subject),
            connector: of(Kind::Connector),
        })
    }
}

impl OfferedModel {
    /// The prefixes by kind.
    pub(super) fn prefixes(&self) -> Result<Prefixes, Unknown> {
        let Self { topic, group, transactional_id, subject, connector } = self;
        let mut res = Prefixes::new();
        for (kind, prefixes) in [
            (Kind::Topic, topic),
            (Kind::Group, group),
            (Kind::TransactionalId, transactional_id),
            (Kind::Subject, subject),
            (Kind::Connector, connector),
        ] {
            let prefixes = elements(prefixes)?;
            if !prefixes.is_empty() {
                res.insert(kind, prefixes);
            }
        }
        Ok(res)
    }

    /// The prefixes of an offer.
    pub(super) fn of(prefixes: &Prefixes) -> Nested<Self> {
        let of = |kind: Kind| -> Optional<Set<String>> {
            prefixes.get(&kind).map(|it| Set(it.iter().cloned().collect())).into()
        };
        Nested::from(Self {
            topic: of(Kind::Topic),
            group: of(Kind::Group),
            transactional_id: of(Kind::TransactionalId),
            subject: of(Kind::Subject),
            connector: of(Kind::Connector),
        })
    }
}

impl ClientQuotaModel {
    fn limits(&self) -> Result<ClientQuota, Unknown> {
        let limit = |it: &Optional<Number>| Ok(it.known()?.map(Number::to_f64));
        Ok(ClientQuota {
            producer_byte_rate_per_broker: limit(&self.producer_byte_rate_per_broker)?,
            consumer_byte_rate_per_broker: limit(&self.consumer_byte_rate_per_broker)?,
            request_percentage_per_broker: limit(&self.request_percentage_per_broker)?,
            controller_mutation_rate: limit(&self.controller_mutation_rate)?,
        })
    }

    /// The limits, if there are any.
    pub(super) fn of(quota: &ClientQuota) -> Option<Nested<Self>> {
        let ClientQuota {
            producer_byte_rate_per_broker,
            consumer_byte_rate_per_broker,
            request_percentage_per_broker,
            controller_mutation_rate,
        } = *quota;
        let limit = |it: Option<f64>| -> Optional<Number> { it.and_then(|it| Number::from_f64(it).ok()).into() };
        let model = Self {
            producer_byte_rate_per_broker: limit(producer_byte_rate_per_broker),
            consumer_byte_rate_per_broker: limit(consumer_byte_rate_per_broker),
            request_percentage_per_broker: limit(request_percentage_per_broker),
            controller_mutation_rate: limit(controller_mutation_rate),
        };
        (!quota.is_none()).then(|| model.into())
    }
}
