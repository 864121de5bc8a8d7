//! The provider in real engines against a real broker. One file for each resource; see `Workspace` for the words.

mod engines;
mod rules;
mod scale;
