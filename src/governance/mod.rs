//! What a Kafka platform is and what it permits: values and rules, with no I/O and no Terraform.

pub mod acl;
pub mod record;
pub mod topic;
