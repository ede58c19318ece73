//! What the systems say on the wire: bodies as types, states as words, errors as they are sent. Pure: nothing is called
//! from here.

pub mod cinder;
pub mod evs;
pub mod keystone;
pub mod powervc;
pub mod vipr;
mod words;
pub mod zstack;
