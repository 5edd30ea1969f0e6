//! The guard between the agent and the cloud. It calls nobody.

pub(crate) mod policy;
